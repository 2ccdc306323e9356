"""The doctor: says before any fit, in plain words, what will hurt."""

from inverseq.doctor.examine import diagnose
from inverseq.doctor.record import About, Diagnosis, Finding, Severity, as_dict, describe

__all__ = ["About", "Diagnosis", "Finding", "Severity", "as_dict", "describe", "diagnose"]
