"""The report: what was in the mixture, how sure that is, what would go wrong, how it was made; one HTML file."""

from lusco.report.content import Mixture, ReportContent
from lusco.report.page import report

__all__ = ["Mixture", "ReportContent", "report"]
