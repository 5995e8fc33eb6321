"""Studies by name: what to show, how fine, on which scanner, and what must be in it."""

from dataclasses import dataclass, field

from wirbel.finding import Grade, Shape
from wirbel.phantom.settings import AnatomySettings, Mimic
from wirbel.phantom.view import Region
from wirbel.spine import Level


@dataclass(frozen=True, slots=True)
class Preset:
    """A study: region, spacing (slice step, pixel) in mm, scanner, contrast phase (None: drawn), anatomy."""

    region: Region
    spacing_mm: tuple[float, float]
    scanner: str
    phase: str | None = None
    anatomy: AnatomySettings = field(default_factory=AnatomySettings)
    circle_mm: float | None = None


_CALM = frozenset(Mimic)

PRESETS: dict[str, Preset] = {
    "demo": Preset(
        Region.TRUNK,
        (1.5, 1.2),
        "siemens-b30f-1",
        "native",
        AnatomySettings(
            sex="F",
            age_years=(68.0, 80.0),
            variant_chance=0.0,
            rib_variant_chance=0.0,
            fractures=(
                (Level.T8, Shape.WEDGE, Grade.MODERATE),
                (Level.T12, Shape.CRUSH, Grade.SEVERE),
                (Level.L3, Shape.BICONCAVE, Grade.MILD),
            ),
            exclude=_CALM,
            scoliosis_deg=(0.0, 6.0),
            metal_chance=0.0,
            cement_chance=0.0,
        ),
    ),
    "torso": Preset(Region.TORSO, (1.0, 1.0), "siemens-b30f-1"),
    "chest": Preset(Region.CHEST, (1.0, 0.8), "siemens-br40-1"),
    "abdomen": Preset(Region.ABDOMEN, (3.0, 0.8), "siemens-br40-3", "portal_venous"),
    "spine": Preset(Region.SPINE, (1.0, 0.6), "ge-bone-1.25", "native"),
    "lumbar": Preset(Region.LUMBAR, (1.0, 0.5), "philips-iqon-1", "native"),
    "neck": Preset(Region.NECK, (1.0, 0.6), "canon-fc08-1", "arterial"),
    "screening": Preset(Region.CHEST, (1.25, 0.7), "ge-lung-2.5", "native", circle_mm=360.0),
}
