"""Identifiers that are the same for the same seed."""

from uuid import UUID, uuid5

#: Our own namespace for `derived_uid`; changing it changes every UID ever derived.
NAMESPACE = UUID("6f1c1d0e-8f55-4e6b-9a55-77697262656c")


def derived_uid(*parts: object) -> str:
    """A valid DICOM UID (`2.25.` + UUID) that depends on nothing but its parts."""
    return f"2.25.{uuid5(NAMESPACE, '/'.join(str(part) for part in parts)).int}"


#: Who wrote a file, for its meta header.
IMPLEMENTATION_UID = derived_uid("implementation")
IMPLEMENTATION_NAME = "WIRBEL"
