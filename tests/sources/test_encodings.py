"""Encodings: which a table is in is told, in doubt refused, or named; never letters at random."""

from __future__ import annotations

import codecs
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.models import Thread
from bot.sources import Options, SourceReport, read
from bot.sources.encodings import CANDIDATES, guess, named_encoding

# Tables of two lines: the encoding, the header, a question and its answer.
SHORT = {
    name: tuple(values)
    for name, *values in (
        line.strip().split(" | ")
        for line in """
    german | cp1252 | Frage;Antwort | Wo hängt der Schlüssel? | Neben der Tür.
    german, ß alone | cp1252 | question;answer | Wie heißt ihr? | Wie die Straße.
    french | cp1252 | question;réponse | Où est la clé ? | Près de la porte d'entrée.
    french, é alone | cp1252 | question;answer | Le café est ouvert ? | Tous les jours.
    spanish | cp1252 | pregunta;respuesta | ¿Cuándo abrís? | Mañana a las diez.
    swedish | cp1252 | question;answer | Får jag ta med mig en vän? | Ja, på lördagar.
    quotes alone | cp1252 | question;answer | Where’s the “oven”? | In the yard – left.
    polish | cp1250 | pytanie;odpowiedź | Gdzie leży klucz? | Wisi obok drzwi, na żółtym haku.
    polish, english header | cp1250 | question;answer | Czy można płacić kartą? | Tak, zawsze.
    czech | cp1250 | otázka;odpověď | Kdy máte otevřeno? | Každý den kromě neděle.
    hungarian | cp1250 | kérdés;válasz | Mikor vagytok nyitva? | Minden nap délelőtt tíztől ötig.
    russian | cp1251 | вопрос;ответ | Где лежит ключ? | Он висит у двери.
    russian, english header | cp1251 | question;answer | Когда вы открыты? | С десяти.
    ukrainian | cp1251 | питання;відповідь | Коли ви відчинені? | З десятої щодня.
    japanese | cp932 | 質問,回答 | 鍵はどこですか？ | 入口の横に掛けてあります。
    japanese, english header | cp932 | question,answer | 何時に開きますか？ | 十時です。
    chinese | gb18030 | 问题,答案 | 钥匙在哪里？ | 挂在门旁边。
    chinese, english header | gb18030 | question,answer | 几点开门？ | 上午十点。
    taiwanese | big5 | 問題,答案 | 鑰匙在哪裡？ | 掛在門旁邊。
    taiwanese, english header | big5 | question,answer | 幾點開門？ | 上午十點。
    korean | euc_kr | 질문,답변 | 열쇠는 어디에 있나요? | 문 옆에 걸려 있습니다.
    korean, english header | euc_kr | question,answer | 몇 시에 열어요? | 오전 열 시요.
    """.strip().splitlines()
    )
}
COLUMNS = {"question": "1", "answer": "2"}


def table(
    path: Path, text: str, coding: str, /, **options: Any
) -> tuple[list[Thread], SourceReport]:
    path.write_bytes(text.encode(coding))
    report = SourceReport()
    return list(read(path, report, Options(**options))), report


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("name", SHORT)
def test_a_table_of_two_lines_has_its_letters(tmp_path: Path, name: str, suffix: str) -> None:
    encoding, header, question, answer = SHORT[name]
    sign = "\t" if suffix == ".tsv" else ";"
    text = f"{header.replace(',', sign).replace(';', sign)}\r\n{question}{sign}{answer}\r\n"
    file = tmp_path / f"shop{suffix}"
    found, report = table(file, text, encoding, columns=COLUMNS)
    assert report.rejected == []
    assert [(t.title, [a.body for a in t.answers]) for t in found[1:]] == [(question, [answer])]
    utf8, _ = table(tmp_path / f"utf8{suffix}", text, "utf-8", columns=COLUMNS)
    keys = [[thread.key.partition("#")[2] for thread in threads] for threads in (found, utf8)]
    assert keys[0] == keys[1]
    (warning,) = report.warned
    assert warning.reason.startswith("read as ")
    assert "--encoding" in warning.reason


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("cp1252", "Windows-1252"),
        ("cp1250", "Windows-1250"),
        ("cp1251", "Windows-1251"),
        ("cp932", "Shift JIS (cp932)"),
        ("gb18030", "GB18030"),
        ("euc_kr", "EUC-KR"),
        ("big5", "Big5"),
    ],
)
def test_what_it_was_read_as_is_reported(tmp_path: Path, encoding: str, label: str) -> None:
    _, _, question, answer = next(row for row in SHORT.values() if row[0] == encoding)
    text = f"question;answer\n{question};{answer}\n"
    _, report = table(tmp_path / "shop.csv", text, encoding)
    assert str(report.warned[0]).endswith(
        f"shop.csv: read as {label}, for it is not UTF-8 text; if letters are wrong, save it as "
        "UTF-8, or say what it is: --encoding NAME"
    )


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("q;a\nĞ?;x\n", "cp1254"),
        ("question;answer\nYeni şifreyi nasıl alırım?;Giriş sayfasından.\n", "cp1254"),
        ("question;answer\nΠού είναι το κλειδί;Δίπλα στην πόρτα.\n", "cp1253"),
        ("question;answer\nאיפה המפתח?;ליד הדלת.\n", "cp1255"),
        ("question;answer\nГде лежит ключ от мастерской?;У двери.\n", "koi8_r"),
        ("question;answer\nกุญแจอยู่ที่ไหน;ข้างประตู\n", "cp874"),
        ("q;a\nx\x81\x8dy?;z\n", "latin-1"),
    ],
)
def test_what_is_in_doubt_is_refused_with_what_to_do(
    tmp_path: Path, text: str, encoding: str
) -> None:
    found, report = table(tmp_path / "shop.csv", text, encoding)
    assert found == []
    (error,) = report.rejected
    assert error.line == 2
    assert error.reason.startswith("it is not UTF-8 text, and its bytes don't tell for certain")
    assert error.reason.endswith("save it as UTF-8, or say what it is: --encoding NAME")
    named, report = table(tmp_path / "shop.csv", text, encoding, encoding=encoding)
    assert named[0].title == text.split("\n")[1].split(";")[0]
    assert report == SourceReport()


def test_a_member_who_has_no_command_line_is_reported_of_no_option(tmp_path: Path) -> None:
    text = "question;answer\nΠού είναι το κλειδί;Δίπλα στην πόρτα.\n"
    _, report = table(tmp_path / "shop.csv", text, "cp1253", upload=True)
    assert report.rejected[0].reason.endswith("; save it as UTF-8 and send it again")
    _, _, question, answer = SHORT["russian"]
    _, report = table(tmp_path / "b.csv", f"q;a\n{question};{answer}\n", "cp1251", upload=True)
    assert report.warned[0].reason.endswith(
        "if letters are wrong, save it as UTF-8 and send it again"
    )


@pytest.mark.parametrize("name", ["german", "polish", "russian", "japanese", "chinese", "korean"])
def test_a_table_that_grows_keeps_its_keys(tmp_path: Path, name: str) -> None:
    encoding, _, question, answer = SHORT[name]
    short = f"q;a\n{question};{answer}\n"
    more = "".join(f"Plain {number}?;Plain words\n" for number in range(300))
    before, _ = table(tmp_path / "shop.csv", short, encoding)
    after, report = table(tmp_path / "shop.csv", f"{short}{more}{question[::-1]};x\n", encoding)
    assert before[0].title == question
    assert before[0].key == after[0].key
    assert report.rejected == []


def test_a_short_line_that_is_utf8_by_chance_makes_no_damage_of_the_others(tmp_path: Path) -> None:
    rows = ["question,answer", "钥匙在哪里？,挂在门旁边。", "几点开门？,上午十点。", "Who?,陆"]
    assert rows[-1].encode("gb18030").decode() != rows[-1]  # other letters, but UTF-8
    found, report = table(tmp_path / "shop.csv", "\n".join(rows), "gb18030")
    assert [thread.answers[0].body for thread in found] == ["挂在门旁边。", "上午十点。", "陆"]
    assert report.rejected == []


def test_a_file_marked_as_utf8_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_bytes(codecs.BOM_UTF8 + "q,a\nÖffnet es?,Ja, für ihn\n".encode("cp1252"))
    report = SourceReport()
    assert list(read(file, report)) == []
    assert report.rejected[0].reason == "it is not UTF-8 text, though other lines are"


@pytest.mark.parametrize("name", ["faq", "faq.txt", "faq.csv"])
def test_such_a_table_is_recognised_by_its_header(tmp_path: Path, name: str) -> None:
    text = "質問,回答\n鍵はどこですか？,入口の横に掛けてあります。\n"
    found, _ = table(tmp_path / name, text, "cp932")
    assert [thread.title for thread in found] == ["鍵はどこですか？"]


FILES = {
    "faq.md": "## Wo hängt er?\n\nAn der Tür.\n",
    "faq.txt": "Q: Wo hängt er?\nA: An der Tür.\n",
    "page.txt": "Wo hängt er?\n\nUpvote:1\nAn der Tür.\n",
    "faq.json": '[{"question": "Wo hängt er?", "answer": "An der Tür."}]',
    "faq.jsonl": '{"id": "a", "title": "Wo hängt er?", "answers": [{"body": "An der Tür."}]}\n',
    "faq.html": "<html><body><h2>Wo hängt er?</h2><p>An der Tür.</p></body></html>",
    "faq.csv": "question,answer\nWo hängt er?,An der Tür.\n",
}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16", "utf-8", "cp037"])
@pytest.mark.parametrize("name", FILES)
def test_any_form_is_read_in_the_encoding_that_is_named(
    tmp_path: Path, name: str, encoding: str
) -> None:
    found, report = table(tmp_path / name, FILES[name], encoding, encoding=encoding)
    assert [(t.title, t.answers[0].body) for t in found] == [("Wo hängt er?", "An der Tür.")]
    assert report == SourceReport()


def test_a_file_that_is_utf8_beside_those_that_are_not_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("q,a\nÖffnet es?,Ja\n", encoding="cp1252")
    (tmp_path / "b.csv").write_text("q,a\nSchließt es?,Ja\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("q,a\nIs it?,Yes\n", encoding="utf-8")
    report = SourceReport()
    found = [thread.title for thread in read(tmp_path, report, Options(encoding="cp1252"))]
    assert found[::2] == ["Öffnet es?", "Is it?"]
    ((where, why),) = [(str(warning.path), warning.reason) for warning in report.warned]
    assert where.endswith("b.csv")
    assert why.startswith("it is UTF-8 as well, and was read as cp1252; if letters are wrong")


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_name_is_reported_with_the_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name].encode("cp1252"))
    report = SourceReport()
    assert list(read(tmp_path / name, report, Options(encoding="utf-8"))) == []
    reasons = [error.reason for error in report.rejected]
    (reason,) = reasons
    assert reason.startswith("it is not UTF-8 text (byte 0x")
    assert "is --encoding utf-8 right? Name the one that it is in" in reason


def test_a_web_page_that_names_no_encoding_is_not_taken_for_windows_letters(tmp_path: Path) -> None:
    page = "<html><body><h2>鍵はどこですか？</h2><p>入口の横に掛けてあります。</p></body></html>"
    found, report = table(tmp_path / "faq.html", page, "cp932")
    assert [thread.title for thread in found] == ["鍵はどこですか？"]
    assert report.warned[0].reason.startswith("read as Shift JIS (cp932), for it is not UTF-8")


@pytest.mark.parametrize(
    "name",
    "punycode idna undefined unicode_escape raw_unicode_escape utf-7 charmap base64 rot13 zip hex "
    "bz2 quopri uu".split(),
)
def test_what_is_no_encoding_of_text_cannot_be_named(name: str) -> None:
    with pytest.raises(ConfigError, match="is no encoding that text files are in"):
        named_encoding(name)


@pytest.mark.parametrize(
    "name", ["latin-99", "", "x" * 300, "../cp1252", "a\0b", "ütf", "encodings"]
)
def test_an_unknown_encoding_is_reported_with_some_that_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no encoding .* there are utf-8, utf-16"):
        named_encoding(name)


@pytest.mark.parametrize("name", ["UTF8", "utf-16", "GBK", "shift_jis", "Latin-1", *CANDIDATES])
def test_encodings_may_be_named_as_everywhere(name: str) -> None:
    assert named_encoding(name) == codecs.lookup(name).name


@given(st.binary(max_size=200))
def test_any_bytes_are_reported_or_not_and_what_is_told_can_be_read(data: bytes) -> None:
    found = guess(data)
    if found.sure is not None:
        data.decode(found.sure)


@pytest.mark.untraced
def test_long_lines_take_no_more_than_moments_and_are_looked_at_to_their_letters() -> None:
    started = time.process_time()
    for plain in ("<" * 2_000_000, "\n" * 2_000_000, "with plain words " * 100_000):
        data = f"{plain} Где лежит ключ? Он висит у двери. {plain}".encode("cp1251")
        assert guess(data).sure == "cp1251"
    assert time.process_time() - started < 60


def test_letters_that_other_encodings_have_too_are_named_as_the_commonest(tmp_path: Path) -> None:
    assert guess("Größe;Öl".encode("cp1252")).sure == "cp1252"


def test_json_lines_in_another_encoding_keep_their_line_separators(tmp_path: Path) -> None:
    row = {"id": "a", "title": "Wo?", "answers": [{"body": "ä\u2028b"}]}
    text = json.dumps(row, ensure_ascii=False)
    found, _ = table(tmp_path / "a.jsonl", text, "utf-16", encoding="utf-16")
    assert found[0].answers[0].body == "ä\u2028b"
