"""What is known of the patient beside the image, as it was given."""

from wirbel.report.cause_words import has_classifier
from wirbel.report.wording import Wording


def clinical_sentence(wording: Wording) -> str:
    """Age, sex and known cancer as given, unknown where they were not; empty where nothing asks for them."""
    say, clinical = wording.language.say, wording.result.clinical
    unknown = say("clinical.unknown")
    nothing = clinical.age_years is None and clinical.sex is None and clinical.known_cancer is None
    if nothing and not has_classifier(wording.result):
        return ""
    cancer = {True: say("clinical.yes"), False: say("clinical.no"), None: unknown}[clinical.known_cancer]
    age = None if clinical.age_years is None else wording.language.number(clinical.age_years, 0)
    return say(
        "clinical.sentence",
        age=unknown if age is None else say("clinical.years", n=age),
        sex=unknown if clinical.sex is None else say(f"sex.{clinical.sex.value}"),
        cancer=cancer,
    )
