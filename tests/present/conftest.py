"""The bundled examples, and small studies made from rows."""

from tests.analyses.conftest import demo, hub_spoke

__all__ = ["demo", "hub_spoke"]
