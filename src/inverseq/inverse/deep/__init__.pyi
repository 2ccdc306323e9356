# Made of __init__.py by scripts/stubs.py.
from inverseq.inverse.deep.cloning import BehaviourCloning as BehaviourCloning
from inverseq.inverse.deep.dciql import DCIQL as DCIQL
from inverseq.inverse.deep.diql import DIQL as DIQL
from inverseq.inverse.deep.sqil import SQIL as SQIL
