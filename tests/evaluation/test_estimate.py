"""The value type, and that the package needs numpy and scipy alone."""

import json
import math
import subprocess
import sys

import pytest

from wirbel.evaluation.estimate import Comparison, Estimate, Significance, valid_level


def test_an_estimate_prints_as_a_paper_does():
    assert str(Estimate(0.823, 0.741, 0.889, 0.95, 86, "Wilson")) == "0.82 (95 % CI 0.74-0.89)"
    assert Estimate(0.014, -0.0116, 0.0143, 0.9, 86, "z").text(3) == "0.014 (90 % CI -0.012 to 0.014)"
    assert str(Estimate(math.inf, 3.2, math.inf, 0.95, 9, "Koopman")) == "inf (95 % CI 3.20-inf)"


def test_an_estimate_survives_json_even_where_infinite():
    both = Comparison(Estimate(1.0, 0.0, math.inf, 0.95, 9, "m"), Significance(2.0, math.inf, 0.04, "z"))
    text = json.loads(json.dumps(both.to_json(), allow_nan=False))
    assert text["difference"]["high"] == "inf"
    assert text["difference"]["value"] == 1.0
    assert text["test"]["df"] == "inf"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ((math.nan, 0.0, 1.0, 0.95, 3, "m"), "must be a number, got NaN"),
        ((0.5, 0.6, 0.4, 0.95, 3, "m"), "low must not exceed high"),
        ((0.5, 0.4, 0.6, 95.0, 3, "m"), "did you mean 0.95"),
        ((0.5, 0.4, 0.6, 0.95, -1, "m"), "whole number of units"),
    ],
)
def test_an_impossible_estimate_is_refused_with_a_sentence(fields, says):
    with pytest.raises(ValueError, match=says):
        Estimate(*fields)


def test_a_level_is_a_share():
    assert valid_level(0.9) == 0.9
    with pytest.raises(ValueError, match="between 0 and 1"):
        valid_level(0.0)


def test_the_statistics_load_numpy_and_scipy_alone():
    code = (
        "import pkgutil, importlib, sys, wirbel.evaluation as e\n"
        "for m in pkgutil.walk_packages(e.__path__, 'wirbel.evaluation.'): importlib.import_module(m.name)\n"
        "tops = {n.split('.')[0] for n in sys.modules}\n"
        "third = {n for n in tops if getattr(getattr(sys.modules[n], '__spec__', None), 'origin', None)\n"
        "         and 'site-packages' in str(sys.modules[n].__spec__.origin)}\n"
        "print(','.join(sorted(third)))\n"
        "print(','.join(sorted(n for n in sys.modules if n.startswith('wirbel.'))))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    third, ours = run.stdout.splitlines()
    # start-up hooks of an environment (.pth files) may load others; what counts is what the package asks for
    assert {"numpy", "scipy"} <= set(third.split(","))
    forbidden = {"pandas", "matplotlib", "jaxtyping", "sklearn", "torch", "pydicom", "nibabel", "skimage"}
    assert not forbidden & set(third.split(","))
    assert all(name.startswith("wirbel.evaluation") for name in ours.split(","))
