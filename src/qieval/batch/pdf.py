"""A finished report as a PDF file: tagged, with page numbers, its figures as outlines; made without any connection."""

from __future__ import annotations

import base64
import contextlib
import io
from pathlib import Path

from qieval.batch.letters import font_faces, with_letters
from qieval.batch.pages import shared_text
from qieval.batch.paper import for_paper
from qieval.batch.place import written_whole
from qieval.errors import ReportError

NAME = "report.pdf"
NOT_INSTALLED = "A PDF needs WeasyPrint, which is not installed -> pip install 'qieval[pdf]', or leave --pdf out"
NO_LIBRARY = (
    "A PDF needs the system's library Pango, which is not installed -> on Debian or Ubuntu: apt install libpango-1.0-0 "
    "libpangoft2-1.0-0 libharfbuzz-subset0; on macOS: brew install pango; or leave --pdf out"
)


def require_pdf() -> None:
    """See that a PDF can be made here, before a long batch is run for it.

    Raises
    ------
    ReportError
        If WeasyPrint or the system library it draws with is missing.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            import weasyprint  # noqa: F401 - says at length what is missing, we say it in a sentence
    except ImportError:
        raise ReportError(NOT_INSTALLED) from None
    except OSError:
        raise ReportError(NO_LIBRARY) from None


def write_pdf(folder: Path) -> Path:
    """Write ``report.pdf`` beside the ``report.html`` of a folder, whole at any moment; returns its path.

    Raises
    ------
    ReportError
        If what it takes is not installed.
    """
    require_pdf()
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    only_embedded = URLFetcher(allowed_protocols=["data"])
    fonts = FontConfiguration()
    # The style of paper comes last in the page, so that it overrules that of the screen.
    style = f"<style>{shared_text('paper.css')}</style></head>"
    page = HTML(string=for_paper(folder, _outlines).replace("</head>", style, 1), url_fetcher=only_embedded)
    faces = CSS(string=font_faces(), url_fetcher=only_embedded, font_config=fonts)
    path = folder / NAME
    with written_whole(path) as unfinished:
        page.write_pdf(unfinished, stylesheets=[faces], pdf_variant="pdf/ua-1", font_config=fonts)
    return path


def _outlines(figure: Path) -> dict[str, str]:
    """The figure itself as an address, its letters as text."""
    content = with_letters(figure.with_name(f"{figure.name}.svg").read_bytes())
    return {"src": f"data:image/svg+xml;base64,{base64.b64encode(content).decode('ascii')}"}
