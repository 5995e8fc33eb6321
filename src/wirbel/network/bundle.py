"""A bundle: ONNX files, `bundle.json` and a model card in one folder, checked by hash before use."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import ModelError

#: Version of the layout and of what the channels mean (`wirbel.network.spine_heads`).
FORMAT = 1
#: Describes the ensemble of a bundle that is a classifier.
SCORER = "scorer.json"
#: Bundles that come with the package.
SHIPPED = Path(__file__).parent / "bundles"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle. `sha256` is over all its ONNX files in name order; `trained_on` is what went in."""

    name: str
    folder: Path
    version: str
    sha256: str
    files: dict[str, str]
    trained_on: tuple[str, ...]

    def has(self, part: str) -> bool:
        """Whether there is a network of that name."""
        return f"{part}.onnx" in self.files

    def onnx(self, part: str) -> Path:
        """The path of one network; `ModelError` when the bundle has none of that name."""
        if f"{part}.onnx" not in self.files:
            raise ModelError(f"bundle {self.name!r} has no network {part!r}: it holds {sorted(self.files)}")
        return self.folder / f"{part}.onnx"


def file_sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def bundle_sha256(files: dict[str, str]) -> str:
    """One digest for a bundle: over names and digests of its files in name order."""
    return hashlib.sha256("".join(f"{n}:{h}\n" for n, h in sorted(files.items())).encode()).hexdigest()


def load_bundle(folder: Path) -> Bundle:
    """Read and check a bundle; `ModelError` says what is missing or altered."""
    path = folder / "bundle.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        files = {str(k): str(v) for k, v in stored["files"].items()}
        name, version, form = str(stored["name"]), str(stored["version"]), int(stored["format"])
        trained_on = tuple(str(t) for t in stored["trained_on"])
    except FileNotFoundError:
        raise ModelError(f"no bundle in {folder.name!r}: bundle.json is missing") from None
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"bundle.json in {folder.name!r} cannot be read: {exc}") from None
    if form != FORMAT:
        raise ModelError(f"bundle {name!r} has format {form}, this version reads {FORMAT}: install one that fits")
    for file, expected in files.items():
        if not (folder / file).is_file():
            raise ModelError(f"bundle {name!r} lacks {file}: install wirbel again")
        if file_sha256(folder / file) != expected:
            raise ModelError(f"{file} of bundle {name!r} does not match its hash: it is damaged or was changed")
    return Bundle(name, folder, version, bundle_sha256(files), files, trained_on)


def shipped_bundles() -> tuple[Bundle, ...]:
    """All bundles that came with the package, by name."""
    if not SHIPPED.is_dir():
        return ()
    return tuple(load_bundle(p.parent) for p in sorted(SHIPPED.glob("*/bundle.json")))
