"""The tokenizer of XLM-RoBERTa for the package ``tokenizers``, made of its pieces."""

from __future__ import annotations

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

UNKNOWN = "<unk>"

SPACES = r"[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]"
"""Characters that SentencePiece's ``nmt_nfkc`` makes spaces, beside what NFKC does."""

REMOVED = r"[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]"
"""Characters that it removes."""


def xlm_roberta(pieces: list[tuple[str, float]]) -> Tokenizer:
    """Return the tokenizer of pieces with log probabilities; the numbers are their places."""
    numbers = {piece: number for number, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(models.Unigram(pieces, numbers[UNKNOWN], False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(REMOVED), ""),
            normalizers.Replace(Regex(SPACES), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[(special, numbers[special]) for special in ("<s>", "</s>")],
    )
    return tokenizer
