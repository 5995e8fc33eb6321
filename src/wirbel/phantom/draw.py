"""A person drawn from chances: levels and variants, sizes, curve, fractures, mimics, and the truth."""

from dataclasses import replace

import numpy as np

from wirbel.finding import Grade, Shape
from wirbel.phantom.anatomy import Anatomy, DiscShape, Truth, VertebraShape, VertebraTruth
from wirbel.phantom.body import Body, Endplate, unfractured
from wirbel.phantom.column import draw_curve, levels_of, stack
from wirbel.phantom.fracture import fracture, grade_of, loss_of
from wirbel.phantom.implicit import Frame
from wirbel.phantom.mimicry import draw_changes, reshaped, resized
from wirbel.phantom.morphometry import NORMS, SEX_SCALE, SEX_WEDGE_DEG, Morphometry
from wirbel.phantom.person import Person
from wirbel.phantom.settings import AnatomySettings, ArmPose
from wirbel.phantom.sixpoints import centre_of, true_shape
from wirbel.spine import Level, Variant


def draw_anatomy(rng: np.random.Generator, settings: AnatomySettings | None = None) -> Anatomy:
    """A person with everything a phantom shows, and the truth about the column; all from `rng`."""
    settings = settings or AnatomySettings()
    person = _person(rng, settings)
    variants = _variants(rng, settings)
    levels = levels_of(variants)
    changes = draw_changes(rng, settings, levels, person)
    sizes = [resized(rng, _size(rng, level, person), change) for level, change in zip(levels, changes, strict=True)]
    whole = [
        reshaped(rng, draw_body(rng, size, level), change)
        for size, level, change in zip(sizes, levels, changes, strict=True)
    ]
    broken = _fractures(rng, settings, levels, person)
    bodies = [
        fracture(rng, body, *broken[level]) if level in broken else body
        for body, level in zip(whole, levels, strict=True)
    ]
    expected = [true_shape(unfractured(body)) for body in bodies]
    actual = [true_shape(body) for body in bodies]
    curve = draw_curve(
        rng,
        levels,
        kyphosis=rng.uniform(*settings.kyphosis_scale),
        lordosis=rng.uniform(*settings.lordosis_scale),
        scoliosis_deg=float(rng.uniform(*settings.scoliosis_deg) * rng.uniform(0, 1) ** 2),
    )
    discs_mm = [
        max(size.disc_mm * float(rng.uniform(0.85, 1.1)) * change.disc_share, 1.0)
        for size, change in zip(sizes, changes, strict=True)
    ]
    sacral = _sacral_body(rng, sizes[-1])
    kyphosing = np.array([a.wedge_deg - e.wedge_deg for a, e in zip(actual, expected, strict=True)])
    frames, sacrum, disc_frames = stack(bodies, curve, discs_mm, sacral, 0.6 * np.abs(kyphosing))
    frames, sacrum, disc_frames = _centred(levels, frames, sacrum, disc_frames)
    carried = _ribs(rng, levels, settings)
    cemented, screwed = _surgery(rng, settings, levels, broken)
    vertebrae = tuple(
        VertebraShape(
            instance=i + 1,
            level=level,
            size=sizes[i],
            body=bodies[i],
            frame=frames[i],
            scale=person.scale,
            ribs=carried[i][0],
            rib_length=carried[i][1],
            facet_asymmetry=float(rng.normal(0, 0.08)),
            change=changes[i],
            cement=level in cemented,
            screws=level in screwed,
        )
        for i, level in enumerate(levels)
    )
    discs = tuple(
        DiscShape(i, disc_frames[i], discs_mm[i], changes[i].gas_below, changes[i].fused_below)
        for i in range(len(levels))
        if levels[i] != Level.C1
    )
    truths = []
    for i, v in enumerate(vertebrae):
        loss = loss_of(actual[i], expected[i])
        truths.append(
            VertebraTruth(
                instance=v.instance,
                level=v.level,
                centre_lps_mm=v.frame.to_lps(centre_of(v.body)),
                shape=actual[i],
                expected=expected[i],
                grade=grade_of(loss) if v.level in broken else Grade.NONE,
                fracture=broken[v.level][0] if v.level in broken else None,
                loss=loss,
                ribs=v.ribs,
                mimics=v.change.mimics,
                trabecular_hu=person.trabecular_hu,
                cement=v.cement,
                screws=v.screws,
            )
        )
    found = tuple(sorted({m for c in changes for m in c.mimics}))
    truth = Truth(
        tuple(truths), variants, found, person.sex, person.age_years, sacrum.to_lps(np.array([0.0, 0.0, 0.0]))
    )
    return Anatomy(vertebrae, discs, sacrum, sacral, person, truth)


def draw_body(rng: np.random.Generator, size: Morphometry, level: Level) -> Body:
    """A body whose heights are the size's, with the level's outline and a little variety."""
    d = size.depth_mm
    bowl_y = 0.03 * d * (1 + rng.normal(0, 0.5)) if level.region == "L" else rng.normal(0, 0.02) * d
    y = np.array([0.38 * d, 0.0, -0.38 * d])
    q = np.clip(1 - ((y - bowl_y) / (0.43 * d)) ** 2, 0, 1)
    wanted = np.array([size.posterior_mm, size.middle_mm, size.anterior_mm])
    ring, slope, bowl = np.linalg.solve(np.stack([np.ones(3), y, -q], axis=1), wanted)
    share = float(np.clip(rng.normal(0.42, 0.06), 0.2, 0.7))
    lean = float(np.clip(rng.normal(0.5, 0.12), 0.2, 0.8))
    side = float(rng.normal(0, 0.008))
    round_back = {"C": 0.6, "T": 1.0, "L": 1.6, "S": 1.0}[level.region]
    if level == Level.L5:
        round_back = 0.6
    return Body(
        depth_mm=d,
        width_superior_mm=size.width_superior_mm,
        width_middle_mm=size.width_middle_mm,
        width_inferior_mm=size.width_inferior_mm,
        upper=Endplate(ring / 2, slope * lean, bowl * share, bowl_y, tilt_x=side),
        lower=Endplate(ring / 2, slope * (1 - lean), bowl * (1 - share), bowl_y, tilt_x=-side),
        power={"C": 2.9, "T": 2.35, "L": 2.5, "S": 2.3}[level.region] + float(rng.normal(0, 0.1)),
        back=round_back * float(rng.uniform(0.5, 1.4)),
        waist_front=float(rng.uniform(0.03, 0.09)),
        waist_back=float(rng.uniform(0.0, 0.04)),
        taper={"C": 0.03, "T": 0.17, "L": 0.05, "S": 0.05}[level.region],
    )


def _person(rng: np.random.Generator, settings: AnatomySettings) -> Person:
    sex = settings.sex or str(rng.choice(["F", "M"]))
    age = float(rng.uniform(*settings.age_years))
    scale = SEX_SCALE[sex] * float(np.clip(rng.normal(1, 0.05), 0.87, 1.14))
    # Trabecular HU falls with age (Pickhardt 2013: ~230 at 30, ~110 at 75), spread 35 HU.
    trabecular = float(np.clip(rng.normal(285 - 2.35 * age, 35), 15, 330))
    return Person(
        sex=sex,
        age_years=age,
        scale=scale,
        girth=float(np.clip(rng.normal(1.0, 0.12), 0.78, 1.35)),
        fat_mm=float(np.clip(rng.gamma(4.0, 4.5), 4, 55)),
        arms=settings.arms or (ArmPose.UP if rng.uniform() < 0.8 else ArmPose.DOWN),
        trabecular_hu=trabecular,
        cortex_mm=float(np.clip(rng.normal(0.48, 0.1) * (0.75 + trabecular / 500), 0.25, 0.95)),
        aortic_calcification=float(np.clip((age - 45) / 40, 0, 1) * rng.uniform(0, 1)),
        organ_jitter=tuple(float(v) for v in rng.normal(0, 1, 32)),
        bowel_seed=int(rng.integers(2**31)),
        stent=bool(rng.uniform() < 0.5 * settings.metal_chance),
        wires=bool(rng.uniform() < 0.5 * settings.metal_chance),
        table=bool(rng.uniform() < 0.9),
    )


def _variants(rng: np.random.Generator, settings: AnatomySettings) -> tuple[Variant, ...]:
    if settings.variant is not None:
        return (settings.variant,)
    if rng.uniform() >= settings.variant_chance:
        return ()
    chosen = rng.choice(4, p=[0.2, 0.3, 0.25, 0.25])
    return ((Variant.T11_ONLY, Variant.T13, Variant.L4_ONLY, Variant.L6)[int(chosen)],)


def _size(rng: np.random.Generator, level: Level, person: Person) -> Morphometry:
    """The level's norm, scaled to the person, with a few per cent of its own variety."""
    norm = NORMS[level]
    wide, tall = person.scale, person.scale**0.8
    own = rng.normal(1, 0.025, 16)
    wedge = np.radians(SEX_WEDGE_DEG[person.sex] + rng.normal(0, 1.2)) * norm.depth_mm * 0.76
    anterior = norm.anterior_mm * tall * own[0] - (0.5 * wedge if level.rank >= 12 else 0.0)
    posterior = norm.posterior_mm * tall * own[0] + (0.5 * wedge if level.rank >= 12 else 0.0)
    middle = norm.middle_mm / (norm.anterior_mm + norm.posterior_mm) * (anterior + posterior)
    middle = min(middle * (1 + rng.normal(0, 0.015)), 0.49 * (anterior + posterior))
    return Morphometry(
        anterior_mm=anterior,
        middle_mm=middle,
        posterior_mm=posterior,
        depth_mm=norm.depth_mm * wide * own[1],
        width_superior_mm=norm.width_superior_mm * wide * own[2],
        width_middle_mm=norm.width_middle_mm * wide * own[2],
        width_inferior_mm=norm.width_inferior_mm * wide * own[2],
        disc_mm=norm.disc_mm * wide,
        tilt_deg=norm.tilt_deg,
        pedicle_width_mm=norm.pedicle_width_mm * wide * own[3],
        pedicle_height_mm=norm.pedicle_height_mm * wide * own[4],
        canal_depth_mm=norm.canal_depth_mm * wide**0.5 * own[5],
        canal_width_mm=norm.canal_width_mm * wide**0.5 * own[6],
        transverse_mm=norm.transverse_mm * wide * (1 + 2 * (own[7] - 1)),
        spinous_mm=norm.spinous_mm * wide * (1 + 2 * (own[8] - 1)),
        spinous_deg=norm.spinous_deg + 80 * (own[9] - 1),
    )


def _fractures(
    rng: np.random.Generator, settings: AnatomySettings, levels: tuple[Level, ...], person: Person
) -> dict[Level, tuple[Shape, Grade]]:
    if settings.fractures:
        return {level: (shape, grade) for level, shape, grade in settings.fractures if level in levels}
    out: dict[Level, tuple[Shape, Grade]] = {}
    frail = 2.0 if person.trabecular_hu < 110 else 0.7
    for level in levels:
        near = 2.0 if level in (Level.T12, Level.L1) else 1.4 if level in (Level.T7, Level.T8, Level.L2) else 1.0
        if level.rank < 11 or rng.uniform() >= settings.fracture_chance * near * frail:
            continue
        shape = (Shape.WEDGE, Shape.BICONCAVE, Shape.CRUSH)[int(rng.choice(3, p=[0.5, 0.35, 0.15]))]
        out[level] = (shape, Grade(int(rng.integers(1, 4))))
    return out


def _surgery(
    rng: np.random.Generator,
    settings: AnatomySettings,
    levels: tuple[Level, ...],
    broken: dict[Level, tuple[Shape, Grade]],
) -> tuple[frozenset[Level], frozenset[Level]]:
    """Levels with cement (mostly broken ones) and levels with pedicle screws (neighbours)."""
    cemented: frozenset[Level] = frozenset()
    screwed: frozenset[Level] = frozenset()
    low = [lv for lv in levels if lv.rank >= 12]
    if rng.uniform() < settings.cement_chance:
        pool = list(broken) or low
        cemented = frozenset({pool[int(rng.integers(len(pool)))]})
    if rng.uniform() < settings.metal_chance:
        start = int(rng.integers(0, len(low) - 2))
        screwed = frozenset(low[start : start + int(rng.integers(2, 5))])
    return cemented, screwed


def _ribs(
    rng: np.random.Generator, levels: tuple[Level, ...], settings: AnatomySettings
) -> list[tuple[tuple[bool, bool], float]]:
    """Which vertebrae carry a rib (right, left), and the share of its usual length."""
    out: list[tuple[tuple[bool, bool], float]] = []
    odd = rng.uniform() < settings.rib_variant_chance
    kind = int(rng.integers(3))
    last = max((lv for lv in levels if lv.region == "T"), key=lambda lv: lv.rank)
    for level in levels:
        both = (True, True) if level.region == "T" else (False, False)
        length = float(rng.uniform(0.8, 1.1))
        if level == last:
            length = float(rng.uniform(0.35, 1.3)) if level != Level.T13 else float(rng.uniform(0.3, 0.9))
            if odd and kind == 0:
                both = (False, False)
            if odd and kind == 1:
                both = (bool(rng.uniform() < 0.5),) * 2
                both = (both[0], not both[0])
        if level == Level.L1 and odd and kind == 2 and Level.T13 not in levels:
            both, length = (True, True), float(rng.uniform(0.15, 0.4))
        out.append((both, length))
    return out


def _sacral_body(rng: np.random.Generator, last: Morphometry) -> Body:
    size = replace(
        last,
        anterior_mm=last.anterior_mm * 1.02,
        middle_mm=last.anterior_mm * 0.9,
        posterior_mm=last.anterior_mm * 0.85,
        width_inferior_mm=last.width_superior_mm * 0.75,
        width_middle_mm=last.width_superior_mm * 0.9,
    )
    return draw_body(rng, size, Level.S1)


def _centred(
    levels: tuple[Level, ...], frames: list[Frame], sacrum: Frame, discs: list[Frame]
) -> tuple[list[Frame], Frame, list[Frame]]:
    """Everything moved so that the second body below the last thoracic level lies at the origin."""
    anchor = frames[max(i for i, lv in enumerate(levels) if lv.region == "T") + 3].origin_lps_mm
    move = [Frame(f.origin_lps_mm - anchor, f.axes) for f in frames]
    return (
        move,
        Frame(sacrum.origin_lps_mm - anchor, sacrum.axes),
        [Frame(d.origin_lps_mm - anchor, d.axes) for d in discs],
    )
