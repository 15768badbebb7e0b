"""Why a file is read as it is: what each field found and where, what nothing claims, which anchors are missing."""

from __future__ import annotations

from dataclasses import dataclass

from parsers.areas import TableArea
from parsers.csv_extraction import extract_csv
from parsers.extraction import extract
from parsers.readers import plumber, table_file
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind, Template
from parsers.template_fit import missing_anchors
from records.assessment import ReportReading
from records.document import Document
from records.errors import IncompleteDocumentError, NoTemplateFitsError
from records.report import ExtractedReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One file seen through one template.

    Attributes:
        document: The first reading; None for CSV.
        missing_anchors: Anchors that are not printed: while there are any, the template does not fit.
        report: What the template takes out of the file, whether it fits or not.
        areas: Where tables were found, with the borders between their columns.
        reading: What a normal reading gives; None where it was refused.
        refusal: Why it was refused; empty where it was not.
    """

    document: Document | None
    missing_anchors: tuple[str, ...]
    report: ExtractedReport
    areas: tuple[TableArea, ...]
    reading: ReportReading | None
    refusal: str


def explain(content: bytes, template: Template, request: ReadingRequest) -> Explanation:
    """What the template makes of the file.

    Args:
        content: The file.
        template: The template to explain; it alone is tried.
        request: As for a reading.

    Raises:
        DocumentError: No reader can read the file.
    """
    try:
        reading, refusal = read_report(content, request), ""
    except (NoTemplateFitsError, IncompleteDocumentError) as error:
        reading, refusal = None, error.message
    if request.kind is Kind.CSV:
        file = table_file.read(content)
        return Explanation(
            document=None,
            missing_anchors=missing_anchors(file, template),
            report=extract_csv(file, template, site=request.site),
            areas=(),
            reading=reading,
            refusal=refusal,
        )
    document = plumber.read(content)
    extraction = extract(document, template, site=request.site)
    return Explanation(
        document=document,
        missing_anchors=missing_anchors(document, template),
        report=extraction.report,
        areas=extraction.areas,
        reading=reading,
        refusal=refusal,
    )
