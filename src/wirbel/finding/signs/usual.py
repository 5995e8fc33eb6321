"""Which measured signs stand out: more than was read in vertebrae without a lesion."""

from collections.abc import Mapping

from wirbel.finding.signs.record import Sign, Signs
from wirbel.vertebra import NotMeasured

#: The most that vertebrae without a lesion measured, where a sign has a place (`docs/method-signs.md`, "What it
#: reaches"): the larger of real ones (n = 11) and analytic ones with noise; convexity a voxel of 1 mm; retropulsion
#: from where its angle is read (`ContourSettings`); shares of the marrow ten times the analytic ones'; endplates by
#: simulated vertebrae, between those of training and half of the drawn spondylodiscitis. It decides
#: what is emphasised and shown, and which suspicion of a classifier is not told; never what is found: too few
#: vertebrae for more.
USUAL_AT_MOST: Mapping[Sign, float] = {
    Sign.CORTEX: 0.06,
    Sign.POSTERIOR_CORTEX: 0.06,
    Sign.PEDICLE_LEFT: 0.25,
    Sign.PEDICLE_RIGHT: 0.25,
    Sign.CONVEXITY: 1.0,
    Sign.RETROPULSION: 2.0,
    Sign.CANAL: 18.0,
    Sign.VACUUM: 0.0,
    Sign.EPIDURAL: 0.0,
    Sign.PARAVERTEBRAL: 0.0,
    Sign.LINE_AREA: 0.0,
    Sign.LYTIC: 0.05,
    Sign.SCLEROTIC: 0.05,
    Sign.ENDPLATES: 0.05,
}


def stands_out(signs: Signs, sign: Sign) -> bool:
    """Whether a sign was measured and exceeds what vertebrae without a lesion measure."""
    value, most = signs.values.of(sign), USUAL_AT_MOST.get(sign)
    return most is not None and not isinstance(value, NotMeasured) and value > most
