"""Simulated reader studies of every design, with known truth, for the tests."""

from __future__ import annotations

import numpy as np

from wirbel.evaluation.mrmc import ROE_METZ_1997, Readings, simulate_readings


def factorial(rng: np.random.Generator, *, readers: int = 5, diseased: int = 20, healthy: int = 24) -> Readings:
    return simulate_readings(
        ROE_METZ_1997["HH 0.75"], readers=readers, diseased=diseased, healthy=healthy, rng=rng
    )


def with_pattern(readings: Readings, read: np.ndarray) -> Readings:
    """The same study with only the readings marked in `read` made."""
    return Readings(
        readings.ratings, np.broadcast_to(read, readings.ratings.shape), readings.truth, readings.treatments,
        readings.readers, readings.cases, readings.patients,
    )


def split_plot(rng: np.random.Generator, *, readers: int = 6) -> Readings:
    """Two groups of readers; each reads its own half of the cases under both treatments."""
    study = factorial(rng, readers=readers, diseased=40, healthy=40)
    own_half = (np.arange(80) % 2)[None, None, :] == (np.arange(readers) % 2)[None, :, None]
    return with_pattern(study, own_half)


def missing(rng: np.random.Generator) -> Readings:
    """A tenth of the readings is missing at random."""
    study = factorial(rng)
    return with_pattern(study, rng.random(study.ratings.shape) > 0.1)


def unpaired_readers(rng: np.random.Generator) -> Readings:
    """Readers 1-4 read treatment 1, readers 5-9 treatment 2, all the same cases."""
    study = factorial(rng, readers=9)
    pattern = np.array([[True] * 4 + [False] * 5, [False] * 4 + [True] * 5])[:, :, None]
    return with_pattern(study, pattern)


def unpaired_cases(rng: np.random.Generator) -> Readings:
    """Each treatment is read on its own half of the cases by all readers."""
    study = factorial(rng, diseased=40, healthy=40)
    return with_pattern(study, (np.arange(80) % 2)[None, None, :] == np.arange(2)[:, None, None])


def lesions(rng: np.random.Generator, *, patients: int = 40, readers: int = 5) -> Readings:
    """One to three lesions a patient, which share a patient effect; two thirds of the patients have disease."""
    per_patient = rng.integers(1, 4, patients)
    patient = np.repeat(np.arange(patients), per_patient)
    ill = rng.random(patients) < 0.65
    truth = ill[patient] & (rng.random(patient.size) < 0.7)
    truth[0], truth[-1] = True, False
    n = patient.size

    def normal(variance: float, *shape: int) -> np.ndarray:
        return rng.normal(0.0, np.sqrt(variance), shape)

    ratings = (
        1.2 * truth + normal(0.5, 1, 1, patients)[..., patient] + normal(0.3, 2, 1, patients)[..., patient]
        + normal(0.2, 1, 1, n) + normal(0.2, 1, readers, n) + normal(0.3, 2, readers, n)
        + (normal(0.03, 1, readers, 2) + normal(0.03, 2, readers, 2))[:, :, truth.astype(int)]
    )
    return Readings(
        ratings, np.ones(ratings.shape, dtype=bool), truth, ("without", "with"),
        tuple(f"r{j}" for j in range(readers)), tuple(f"lesion {i}" for i in range(n)), patient,
    )
