"""Fonts for scripts that our own lacks, found by the names of their files."""

import shutil
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import font_manager

from qieval.present import theme
from qieval.present.fonts import noto_fonts, usual_folders

UPRIGHT = (
    "NotoSansThai-Regular.ttf",
    "NotoSansThai.otf",
    "NotoSansThai[wdth,wght].ttf",
    "NotoSansThai-VariableFont_wdth,wght.ttf",
)


def with_file(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")
    return folder / name


@pytest.mark.parametrize("name", UPRIGHT)
def test_a_font_is_found_however_deep_it_lies_and_however_it_is_packed(tmp_path: Path, name: str) -> None:
    file = with_file(tmp_path / "truetype" / "noto", name)
    assert noto_fonts([tmp_path]) == {"Thai": file}


@pytest.mark.parametrize(
    "name", ["NotoSansThai-Bold.ttf", "NotoSansThaiLooped-Regular.ttf", "NotoSerifThai-Regular.ttf", "NotoSansThai.txt"]
)
def test_other_fonts_are_not_taken_for_it(tmp_path: Path, name: str) -> None:
    with_file(tmp_path, name)
    assert noto_fonts([tmp_path]) == {}


def test_they_come_in_one_order_and_the_first_folder_goes_first(tmp_path: Path) -> None:
    for folder, script in (("b", "Arabic"), ("a", "Thai"), ("a", "Arabic"), ("a", "Bengali")):
        with_file(tmp_path / folder, f"NotoSans{script}-Regular.ttf")
    found = noto_fonts([tmp_path / "nowhere", tmp_path / "a", tmp_path / "b"])
    assert list(found) == ["Bengali", "Arabic", "Thai"]
    assert found["Arabic"].parent.name == "a"


def test_a_link_that_leads_nowhere_is_no_font(tmp_path: Path) -> None:
    (tmp_path / "NotoSansThai-Regular.ttf").symlink_to(tmp_path / "gone.ttf")
    assert noto_fonts([tmp_path]) == {}


def test_where_there_is_no_home_the_folders_for_everyone_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert usual_folders()


def test_a_font_is_drawn_with_though_it_is_newer_than_the_list_of_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Any font may stand for the new one: what counts is that its file is read, and one that is none does no harm.
    file = tmp_path / "NotoSansThai-Regular.ttf"
    shutil.copy(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), file)
    broken = with_file(tmp_path, "NotoSansTamil-Regular.ttf")
    monkeypatch.setattr(theme, "noto_fonts", lambda: {"Thai": file, "Tamil": broken})
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    theme._fallback_fonts.cache_clear()
    try:
        theme._fallback_fonts()
        assert str(file) in {entry.fname for entry in font_manager.fontManager.ttflist}
    finally:
        theme._fallback_fonts.cache_clear()
