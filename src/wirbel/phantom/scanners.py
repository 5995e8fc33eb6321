"""Twelve scanner protocols, smooth to lung kernel, 0.6 to 5 mm slices; figures as such protocols are reported."""

from wirbel.phantom.scanner import Scanner
from wirbel.volume import Kernel

_SIEMENS, _GE, _PHILIPS, _CANON = "SIEMENS", "GE MEDICAL SYSTEMS", "Philips", "TOSHIBA"

#: By name. Resolution and noise follow the kernels' published MTF (10 % at about 0.7 to 1.2 / mm) and usual doses.
SCANNERS: dict[str, Scanner] = {
    scanner.name: scanner
    for scanner in (
        Scanner("siemens-b30f-1", 1.15, 1.0, 17.0, 1.5, 0.0, 0.0, 120.0, _SIEMENS, "Sensation 64", "B30f"),
        Scanner("siemens-br40-1", 1.05, 1.0, 14.0, 1.5, 0.0, 5.0, 120.0, _SIEMENS, "SOMATOM Force", "Br40d"),
        Scanner("siemens-br40-3", 1.05, 3.0, 10.0, 1.5, 0.0, 5.0, 100.0, _SIEMENS, "SOMATOM Force", "Br40d"),
        Scanner("siemens-b60f-06", 0.65, 0.6, 48.0, 0.7, 0.6, 8.0, 120.0, _SIEMENS, "Definition AS", "B60f"),
        Scanner("siemens-b70f-1", 0.55, 1.0, 75.0, 0.6, 0.9, 10.0, 120.0, _SIEMENS, "Definition AS", "B70f"),
        Scanner("ge-standard-1.25", 1.1, 1.25, 19.0, 1.4, 0.1, 6.0, 120.0, _GE, "LightSpeed VCT", "STANDARD"),
        Scanner("ge-standard-5", 1.1, 5.0, 10.0, 1.4, 0.1, 6.0, 120.0, _GE, "LightSpeed 16", "STANDARD"),
        Scanner("ge-bone-1.25", 0.6, 1.25, 62.0, 0.7, 1.0, 10.0, 120.0, _GE, "Discovery CT750 HD", "BONE"),
        Scanner("ge-lung-2.5", 0.7, 2.5, 44.0, 0.8, 0.8, 12.0, 120.0, _GE, "LightSpeed 16", "LUNG"),
        Scanner("philips-b-2", 1.2, 2.0, 12.0, 1.6, 0.0, 4.0, 120.0, _PHILIPS, "Brilliance 64", "B"),
        Scanner("philips-iqon-1", 1.0, 1.0, 15.0, 1.3, 0.2, 4.0, 120.0, _PHILIPS, "IQon - Spectral CT", "YB"),
        Scanner("canon-fc08-1", 1.1, 1.0, 18.0, 1.4, 0.0, 6.0, 120.0, _CANON, "Aquilion ONE", "FC08"),
    )
}
#: Which purpose a protocol's kernel serves.
KERNELS: dict[str, Kernel] = {
    "B30f": Kernel.SOFT,
    "Br40d": Kernel.SOFT,
    "B60f": Kernel.BONE,
    "B70f": Kernel.LUNG,
    "STANDARD": Kernel.SOFT,
    "BONE": Kernel.BONE,
    "LUNG": Kernel.LUNG,
    "B": Kernel.SOFT,
    "YB": Kernel.BONE,
    "FC08": Kernel.SOFT,
}
