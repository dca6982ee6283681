"""A report as PDF: the same page, laid out on paper. WeasyPrint is imported when it is asked for, and never before."""

import logging
import os
import re
from pathlib import Path

FILE_NAME = "report.pdf"


class PdfError(Exception):
    """A PDF cannot be made on this machine."""


def write_pdf(page: Path) -> Path:
    """Lay out a report beside its HTML file: all that is folded away is open, appendices come last, pages are numbered.

    Parameters
    ----------
    page : report.html, self-contained

    Raises
    ------
    PdfError
        When WeasyPrint or a library of the system that it needs is missing.
    """
    check_installed()
    import weasyprint

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    target = page.with_name(FILE_NAME)
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        weasyprint.HTML(string=printable(page.read_text(encoding="utf-8"))).write_pdf(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def check_installed() -> None:
    """Raise PdfError unless a PDF can be made."""
    try:
        import weasyprint  # noqa: F401
    except ImportError:
        raise PdfError("a PDF needs WeasyPrint, which is not installed: pip install 'peakday[report]'") from None
    except OSError as error:  # it is there, but a library of the system is not
        reason = " ".join(str(error).split())
        raise PdfError(
            f"a PDF needs Pango, which this system does not have (Debian: apt install libpangoft2-1.0-0): {reason}"
        ) from None


def printable(text: str) -> str:
    """A page with nothing folded away: what a click would open is a section with a heading of its own."""
    appendix = re.compile(r'<details class="appendix"([^>]*)>\s*<summary>(.*?)</summary>', re.DOTALL)
    text = appendix.sub(r'<section class="appendix"\1><h2>\2</h2>', text)
    text = re.sub(r"<details>\s*<summary>(.*?)</summary>", r"<section><h3>\1</h3>", text, flags=re.DOTALL)
    return text.replace("</details>", "</section>")
