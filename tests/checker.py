"""The checker that executes the package's annotations while the tests run."""

from beartype import BeartypeConf, beartype

# As for every static checker (PEP 484), an int will do where a float is asked for.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
