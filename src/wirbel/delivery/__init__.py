"""Results to where they are wanted."""

from wirbel.delivery.folder import check_place, deliver_folder

__all__ = ["check_place", "deliver_folder"]
