"""What the signs of one vertebra are: numbers with units, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from wirbel.vertebra import NotMeasured
from wirbel.volume import LabelMap


class Sign(StrEnum):
    """The signs; each value is the name of its field in `SignValues`, unit included."""

    CORTEX = "cortex_destroyed_fraction"
    POSTERIOR_CORTEX = "posterior_cortex_destroyed_fraction"
    PEDICLE_LEFT = "pedicle_left_involved_fraction"
    PEDICLE_RIGHT = "pedicle_right_involved_fraction"
    CONVEXITY = "posterior_convexity_mm"
    RETROPULSION = "retropulsion_mm"
    RETROPULSION_ANGLE = "retropulsion_angle_deg"
    CANAL = "canal_narrowing_percent"
    VACUUM = "vacuum_mm3"
    EPIDURAL = "epidural_mass_mm3"
    PARAVERTEBRAL = "paravertebral_mass_mm3"
    PARAVERTEBRAL_THICKNESS = "paravertebral_thickness_mm"
    PARAVERTEBRAL_SPREAD = "paravertebral_spread_fraction"
    LINE_AREA = "fracture_line_area_mm2"
    LINE_SHARPNESS = "fracture_line_sharpness_hu_per_mm"
    LYTIC = "lytic_fraction"
    SCLEROTIC = "sclerotic_fraction"
    ENDPLATES = "facing_endplates_eroded_fraction"
    DENSITY = "trabecular_density_hu"
    DENSITY_DIFFERENCE = "density_difference_hu"


#: Units as JSON says them; 1 is a share in [0, 1].
UNITS: Mapping[str, str] = {
    "_fraction": "1",
    "_mm": "mm",
    "_deg": "deg",
    "_percent": "%",
    "_mm3": "mm3",
    "_mm2": "mm2",
    "_hu_per_mm": "HU/mm",
    "_hu": "HU",
}

Value = float | NotMeasured


@dataclass(frozen=True, slots=True)
class SignValues:
    """The numbers. Each is defined where it is measured (named in brackets) and in `docs/method-signs.md`.

    Malignant (Foreman 2024 table 1, after Schwaiger 2016 and Mauch 2018): `cortex_destroyed_fraction` and
    `posterior_cortex_destroyed_fraction` of the wall's area [cortex]; `pedicle_*_involved_fraction` of the
    pedicle's bone lost or replaced [pedicle]; `posterior_convexity_mm` of the wall beyond its own chord,
    negative: concave [contour]; `epidural_mass_mm3` in the canal, `paravertebral_mass_mm3` in the shell around
    the body [canal, mass]; `lytic_fraction` and `sclerotic_fraction` of the inside [marrow].

    Osteoporotic (same table): `retropulsion_mm` beyond the neighbours' posterior line and `retropulsion_angle_deg`,
    the angle of the outline at the apex: an angular fragment has a small one [contour]; `vacuum_mm3` of gas inside
    [marrow]; `fracture_line_area_mm2` and `fracture_line_sharpness_hu_per_mm` [lines];
    `paravertebral_thickness_mm` with `paravertebral_spread_fraction` of the circumference: thin and diffuse against
    thick and focal [mass].

    Neither: `canal_narrowing_percent` (urgency) [canal]; `facing_endplates_eroded_fraction`, on both sides of one
    disc: spondylodiscitis [plates]; `trabecular_density_hu`, `density_difference_hu` to the
    references.
    """

    cortex_destroyed_fraction: Value
    posterior_cortex_destroyed_fraction: Value
    pedicle_left_involved_fraction: Value
    pedicle_right_involved_fraction: Value
    posterior_convexity_mm: Value
    retropulsion_mm: Value
    retropulsion_angle_deg: Value
    canal_narrowing_percent: Value
    vacuum_mm3: Value
    epidural_mass_mm3: Value
    paravertebral_mass_mm3: Value
    paravertebral_thickness_mm: Value
    paravertebral_spread_fraction: Value
    fracture_line_area_mm2: Value
    fracture_line_sharpness_hu_per_mm: Value
    lytic_fraction: Value
    sclerotic_fraction: Value
    facing_endplates_eroded_fraction: Value
    trabecular_density_hu: Value
    density_difference_hu: Value

    def of(self, sign: Sign) -> Value:
        """One value by its sign."""
        value: Value = getattr(self, sign.value)
        return value

    @classmethod
    def blank(cls, why: NotMeasured) -> "SignValues":
        """Nothing measured, all for one reason."""
        return cls(*(why for _ in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """The signs of one vertebra; `label` is its number in the masks.

    `references`: labels of the patient's own vertebrae that served as reference (none: see each sign). `evidence`:
    where a sign was seen, 1 on a grid along the vertebra's own axes; a sign that is absent or has no place is not
    in it.
    """

    label: int
    values: SignValues
    references: tuple[int, ...] = ()
    evidence: Mapping[Sign, LabelMap] = field(default_factory=dict)


def unit_of(sign: Sign) -> str:
    """The unit of a sign's value as JSON says it."""
    return UNITS[max((suffix for suffix in UNITS if sign.value.endswith(suffix)), key=len)]


def to_json(signs: Signs) -> dict[str, object]:
    """Plain values: each sign as `{"value": number, "unit": text}` or `{"not_measured": reason, "detail":
    text}`."""
    values: dict[str, object] = {}
    for sign in Sign:
        value = signs.values.of(sign)
        if isinstance(value, NotMeasured):
            values[sign.value] = {"not_measured": value.reason.value, "detail": value.detail}
        else:
            values[sign.value] = {"value": round(float(value), 4), "unit": unit_of(sign)}
    return {"label": signs.label, "references": list(signs.references), "signs": values}
