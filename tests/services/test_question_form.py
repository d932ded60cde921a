"""Whether a message reads like a question, in fifteen languages and more."""

from __future__ import annotations

import pytest

from bot.services.question_form import reads_like_a_question

QUESTIONS = {
    "English": (
        "How do I pin a message",
        "does it work?",
        "it broke?",
        "hey guys, anyone know this",
        "so what's the plan here",
        "please help me with this",
        "isn\u2019t that a bug",
        "\u201cwhy\u201d is this red",
        "HOW TO BAKE",
        "has anyone seen the rules",
    ),
    "German": (
        "wie hefte ich eine Nachricht an",
        "Hallo, kann man hier Rollen vergeben",
        "weiß jemand, wo die Regeln stehen",
        "gibt es einen Bot dafür",
        "welche Rechte braucht der Bot",
    ),
    "French": (
        "comment épingler un message",
        "comment je peux voter ici",
        "est-ce qu'on peut changer son vote",
        "bonjour, où sont les règles",
        "qu\u2019est-ce que c\u2019est",
        "c'est quoi ce salon",
    ),
    "Spanish": (
        "cómo fijo un mensaje",
        "como puedo votar por una respuesta",
        "hola, alguien sabe votar",
        "dónde están las reglas",
        "¿por qué no responde",
    ),
    "Portuguese": (
        "como fixo uma mensagem",
        "o que esse bot faz",
        "bom dia, dá pra mudar o voto",
        "tem como apagar meus dados",
        "onde ficam as regras",
    ),
    "Italian": (
        "come si fissa un messaggio",
        "come posso cambiare il voto",
        "ciao ragazzi, qualcuno sa votare",
        "dove si trovano le regole",
        "perché non risponde il bot",
    ),
    "Polish": (
        "jak przypiąć wiadomość",
        "czy można zmienić głos",
        "hej, ktoś wie gdzie są zasady",
        "gdzie znajdę regulamin",
    ),
    "Russian": (
        "как закрепить сообщение",
        "привет, где найти правила",
        "можно ли изменить голос",
        "подскажите, что умеет бот",
    ),
    "Turkish": (
        "mesajı nasıl sabitlerim",
        "oyumu değiştirebilir miyim",
        "burada kurallar var mı",
        "neden cevap vermiyor bot",
        "bu kanal ne işe yarıyor acaba, bilen var mı",
    ),
    "Indonesian": (
        "bagaimana cara menyematkan pesan",
        "min gimana caranya voting",
        "apakah bot ini gratis",
        "ada yang tahu aturannya",
    ),
    "Vietnamese": (
        "làm sao để ghim tin nhắn",
        "mình có thể đổi phiếu không",
        "quy tắc nằm ở đâu vậy",
        "bot này là gì",
    ),
    "Arabic": (
        "كيف أثبت رسالة هنا",
        "هل يمكن تغيير التصويت",
        "لماذا؟",
    ),
    "Japanese": (
        "メッセージを固定するにはどうすればいいですか",
        "どうやって投票しますか",
        "ルールはどこにありますか",
    ),
    "Korean": (
        "메시지를 어떻게 고정하나요",
        "규칙은 어디 있어요",
        "투표를 바꿀 수 있나요",
    ),
    "Chinese": (
        "怎么置顶消息",
        "可以更改投票吗",
        "这个机器人是什么",
        "如何删除我的數據",
    ),
    "others, by the mark": ("pour quoi\uff1f", "¿de verdad", "hoe werkt dit?", "(何\uff1f)"),
}

STATEMENTS = (
    "",
    "thanks, that did it",
    "why though",
    "I know how to do it",
    "whatever you say, friend",
    "island life is good",
    "\U0001f389\U0001f389\U0001f389",
    "hello everyone here today",
    "come on guys, let's go",
    "comment here if you agree",
    "AI is taking over everything",
    "kim was here with cara",
    "danke, das hat geklappt",
    "das ist eine gute Idee",
    "merci beaucoup pour l'aide",
    "gracias a todos por venir",
    "has votado a favor ya",
    "obrigado pela resposta, funcionou",
    "grazie mille a tutti",
    "dzięki, działa świetnie",
    "спасибо, всё работает",
    "teşekkürler, çok iyi oldu",
    "terima kasih banyak semuanya",
    "cảm ơn mọi người nhiều",
    "شكرا جزيلا لكم جميعا",
    "ありがとうございます",
    "감사합니다 잘 됐어요",
    "谢谢大家的帮助",
)


@pytest.mark.parametrize(
    ("language", "text"), [(name, text) for name, texts in QUESTIONS.items() for text in texts]
)
def test_reads_like_a_question(language: str, text: str) -> None:
    assert reads_like_a_question(text), language


@pytest.mark.parametrize("text", STATEMENTS)
def test_reads_like_no_question(text: str) -> None:
    assert not reads_like_a_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/search?q=bread for it",
        "look at example.org/watch?v=1 today",
        "[this](https://example.org/a?b=c) works",
        "I set `retry?` and it works",
        "```sql\nselect a ? b : c\n```",
        "<@!12345> <#99> <:what:123>",
        "fixed by </ask what:123>",
    ],
)
def test_marks_in_links_code_and_mentions_ask_nothing(text: str) -> None:
    assert not reads_like_a_question(text)
    assert reads_like_a_question(f"{text} right?")


def test_a_link_may_be_asked_about() -> None:
    assert reads_like_a_question("is it this? https://example.org/a?b=c")
    assert reads_like_a_question("example.org/a?")
