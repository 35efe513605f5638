"""Write ``config/keywords.txt`` anew from pydicom's dictionary: ``python -m scripts.make_keywords``.

Run it after pydicom was updated; ``tests/core/config/test_tags.py`` fails when the file lags behind.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

KEYWORDS = Path(str(files("airflow_healthcare_deid.config"))) / "keywords.txt"


def lines() -> list[str]:
    """Return the lines of the file, in the order of tags."""
    elements = {f"{tag:08X}": entry[4] for tag, entry in DicomDictionary.items()}
    elements |= {tag.upper().replace("X", "x"): entry[4] for tag, entry in RepeatersDictionary.items()}
    return [f"{tag} {keyword or '-'}" for tag, keyword in sorted(elements.items())]


if __name__ == "__main__":
    KEYWORDS.write_text("\n".join(lines()) + "\n", "ascii")
