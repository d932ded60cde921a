"""Models: the usual one, others as folders or by name, and what is said of broken ones."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.search.semantic import embedder, located, onnx_model, open_embedder, open_semantic_index
from bot.search.semantic.embedder import Embedder
from tests.search.semantic.conftest import MakeFolder

TEXTS = [
    "How do I take back my vote?",
    "Where are the backups kept, and who may restore one when the disk is gone?",
    "cake",
    "",
    "为什么没有回答",
    "long " * 400,
    *(f"Number {n} of some questions on gardening, to fill a batch" for n in range(40)),
]


def test_vectors_have_length_one(usual: Embedder) -> None:
    vectors = usual.texts(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    assert usual.question("Is it one?").shape == (384,)


def test_a_text_means_the_same_in_whatever_company(usual: Embedder) -> None:
    """To the last bit: a run's numbers are rounded by the largest of them."""
    together = usual.texts(TEXTS)
    for text, vector in zip(TEXTS[:8], together, strict=False):
        assert np.array_equal(usual.texts([text])[0], vector)
        assert np.array_equal(usual.question(text), vector)


def test_no_texts_are_no_vectors(usual: Embedder) -> None:
    assert usual.texts([]).shape == (0, 384)


@pytest.mark.parametrize(
    ("said", "same", "other"),
    [
        ("undo my choice", "How do I take back a vote?", "How do I water tomatoes?"),
        ("the robot stays silent", "Why doesn't the bot answer?", "Why is my bread so flat?"),
        ("copy it to a new computer", "Moving to another machine", "Which emoji are there?"),
    ],
)
def test_a_paraphrase_is_nearer_than_a_stranger(
    usual: Embedder, said: str, same: str, other: str
) -> None:
    near, far = usual.texts([same, other]) @ usual.question(said)
    assert near > far + 0.1


def test_it_says_which_words_it_has_learnt(usual: Embedder) -> None:
    assert usual.knows("london")
    assert not usual.knows("slwomode")


class TestFolders:
    def test_a_sentence_transformers_folder_works(
        self, usual: Embedder, make_folder: MakeFolder
    ) -> None:
        other = embedder.load(str(make_folder()), Path("never-used"))
        assert other.name.startswith("my-model@")
        assert other.name != usual.name
        assert other.question("cake") @ usual.question("cake") == pytest.approx(1, abs=1e-3)

    def test_it_reads_no_further_than_its_model_takes(self, make_folder: MakeFolder) -> None:
        other = embedder.load(str(make_folder()), Path("never-used"))  # 64 word pieces
        start = "garden " * 62
        same = other.question(start + "and then") @ other.question(start + "but what")
        assert same == pytest.approx(1, abs=1e-3)

    def test_the_first_words_vector_is_taken_where_the_folder_says_so(
        self, usual: Embedder, make_folder: MakeFolder
    ) -> None:
        folder = make_folder("by-first", {"pooling_mode_cls_token": True})
        first = embedder.load(str(folder), Path("never-used"))
        assert first.question("cake") @ usual.question("cake") < 0.95

    def test_prompts_stand_before_questions_and_texts(
        self, usual: Embedder, make_folder: MakeFolder
    ) -> None:
        folder = make_folder("prompted")
        without = embedder.load(str(folder), Path("never-used")).name
        prompts = {"prompts": {"query": "ask: ", "document": "say: "}}
        (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
        other = embedder.load(str(folder), Path("never-used"))
        assert other.name != without
        assert np.array_equal(other.question("cake"), usual.question("ask: cake"))
        assert np.array_equal(other.texts(["cake"]), usual.texts(["say: cake"]))

    def test_a_tokenizer_of_another_model_is_refused(self, make_folder: MakeFolder) -> None:
        folder = make_folder("mixed", vocab_size=1000)
        with pytest.raises(ModelError, match=r"tokenizer\.json is of another model"):
            embedder.load(str(folder), Path("never-used"))

    @pytest.mark.parametrize("file", ["onnx/model.onnx", "tokenizer.json", "config.json"])
    def test_files_cut_short_are_an_error_of_the_model(
        self, make_folder: MakeFolder, file: str
    ) -> None:
        folder = make_folder("cut")
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])
        with pytest.raises(ModelError, match="cut"):
            embedder.load(str(folder), Path("never-used"))

    def test_files_that_are_replaced_while_they_are_read_are_read_again(
        self, make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder, loaded = make_folder("moving"), []

        class Replaced(onnx_model.OnnxModel):
            def __init__(self, files: onnx_model.ModelFiles) -> None:
                super().__init__(files)
                loaded.append(files)
                if len(loaded) == 1:
                    (folder / "1_Pooling" / "config.json").write_text("{}")
                    (folder / "tokenizer.json").write_text(files.tokenizer.read_text() + " ")

        monkeypatch.setattr(embedder, "OnnxModel", Replaced)
        model = embedder.load(str(folder), Path("never-used"))
        assert len(loaded) == 2
        assert model.name == f"moving@{onnx_model.files_in(folder).digest()[:12]}"

    def test_files_that_never_rest_are_an_error_of_the_model(
        self, make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digests = iter(range(100))
        monkeypatch.setattr(onnx_model.ModelFiles, "digest", lambda _: str(next(digests)))
        with pytest.raises(ModelError, match="change while they are read"):
            embedder.load(str(make_folder("restless")), Path("never-used"))

    def test_what_changes_the_vectors_changes_the_name(self, make_folder: MakeFolder) -> None:
        mean = embedder.load(str(make_folder("a/same")), Path("never-used"))
        folder = make_folder("b/same", {"pooling_mode_cls_token": True})
        first = embedder.load(str(folder), Path("never-used"))
        assert mean.name != first.name
        assert first.question("cake") @ mean.question("cake") < 0.95

    def test_a_long_name_fits_the_store(self, make_folder: MakeFolder) -> None:
        name = embedder.load(str(make_folder("m" * 200)), Path("never-used")).name
        assert len(name) <= 64

    @pytest.mark.parametrize(
        ("lacks", "said"),
        [
            ("onnx/model.onnx", r"holds no model\.onnx, nor onnx/model\.onnx"),
            ("tokenizer.json", r"holds no tokenizer\.json"),
            ("config.json", r"holds no config\.json"),
        ],
    )
    def test_what_is_missing_is_named(self, make_folder: MakeFolder, lacks: str, said: str) -> None:
        folder = make_folder()
        (folder / lacks).unlink()
        with pytest.raises(ModelError, match=f"my-model {said}"):
            embedder.load(str(folder), Path("never-used"))

    @pytest.mark.parametrize(
        ("file", "content", "said"),
        [
            ("config.json", "{", r"config\.json is not JSON"),
            ("config.json", "[]", r"config\.json is not a JSON object"),
            ("config.json", "{}", "has no number hidden_size"),
            ("tokenizer.json", "{}", "can't be loaded: "),
            ("onnx/model.onnx", "no model", "can't be loaded: "),
        ],
    )
    def test_what_is_broken_is_named(
        self, make_folder: MakeFolder, file: str, content: str, said: str
    ) -> None:
        folder = make_folder()
        (folder / file).write_text(content)
        with pytest.raises(ModelError, match=said) as caught:
            embedder.load(str(folder), Path("never-used"))
        assert "my-model" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_another_dimension_than_it_says_is_refused(self, make_folder: MakeFolder) -> None:
        folder = make_folder("wide", hidden_size=768)
        with pytest.raises(ModelError, match="vectors of 384 numbers where 768 were expected"):
            embedder.load(str(folder), Path("never-used"))


@pytest.mark.parametrize("setting", ["no-such-model", "/no/such/folder"])
def test_a_name_that_nobody_knows_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ModelError, match=f"{setting} is neither a folder nor a model"):
        open_semantic_index(setting, tmp_path, "library")


def test_the_default_model_has_a_name(usual: Embedder, tmp_path: Path) -> None:
    assert open_embedder("minilm", tmp_path).name == usual.name


@pytest.mark.parametrize("setting", ["mpnet", "multilingual"])
def test_a_model_that_is_not_built_yet_says_how_to(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ModelError, match=f"make model NAME={setting}"):
        open_embedder(setting, tmp_path)


def test_a_name_means_a_folder_among_the_models_of_the_data_folder(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    make_folder("data/models/mpnet")
    model = open_embedder(" mpnet ", tmp_path / "data")
    assert model.name.startswith("mpnet@")
    for setting in ("", "off", ".", "..", "a/b", "BAAI/bge-small-en-v1.5"):
        assert located(setting, tmp_path / "data") == setting


@pytest.mark.parametrize("setting", ["off", " OFF "])
def test_switched_off_is_no_meaning(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ModelError, match="switched off by EMBEDDING_MODEL"):
        open_semantic_index(setting, tmp_path, "library")
    assert list(tmp_path.iterdir()) == []


class TestModelsByName:
    def test_without_fastembed_it_is_said_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "fastembed", None)
        with pytest.raises(ModelError, match=r"pip install 'threadwise\[fastembed\]'"):
            open_semantic_index("BAAI/bge-small-en-v1.5", tmp_path, "library")

    def test_fastembed_gives_the_vectors_that_our_own_reading_gives(
        self, usual: Embedder, tmp_path: Path
    ) -> None:
        """The same files, read by both; nothing is downloaded."""
        fastembed = pytest.importorskip("fastembed")
        from fastembed.common.model_description import ModelSource, PoolingType

        files = onnx_model.default_files()
        shutil.copy(files.model, tmp_path / "model.onnx")
        shutil.copy(files.tokenizer, tmp_path / "tokenizer.json")
        (tmp_path / "config.json").write_text('{"pad_token_id": 0}')
        (tmp_path / "tokenizer_config.json").write_text(
            '{"model_max_length": 128, "pad_token": "[PAD]"}'
        )
        fastembed.TextEmbedding.add_custom_model(
            model="the-same-files",
            pooling=PoolingType.MEAN,
            normalization=True,
            sources=ModelSource(url="https://example.org/not-asked"),
            dim=384,
            model_file="model.onnx",
        )
        by_fastembed = fastembed.TextEmbedding(
            "the-same-files", specific_model_path=str(tmp_path), enable_cpu_mem_arena=False
        )
        other = Embedder("the-same-files", embedder._FastembedModel(by_fastembed), 384)
        assert np.abs(other.texts(TEXTS) - usual.texts(TEXTS)).max() < 1e-6
        assert np.abs(other.question("cake") - usual.question("cake")).max() < 1e-6
        assert other.knows("london")
        assert not other.knows("slwomode")
