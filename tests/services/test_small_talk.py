"""Which messages are small talk, and of which kind."""

from __future__ import annotations

import pytest

from bot.services.small_talk import SmallTalk, small_talk

KINDS = {
    SmallTalk.GREETING: (
        "hi", "Hello!", "hey bot", "hello there everyone", "good morning :)", "👋", "<@123> hi",
        "Guten Morgen zusammen", "¡Hola!", "Bonjour tout le monde", "привет", "こんにちは！",
        "안녕하세요", "你好", "merhaba", "oi gente",
    ),
    SmallTalk.THANKS: (
        "thanks!", "Thank you so much", "ty", "thanks, that worked", "ok", "got it, thanks a lot",
        "hi, thanks for your help", "👍", "🙏🙏", "Vielen Dank!", "merci beaucoup",
        "muchas gracias", "obrigada", "спасибо большое", "ありがとうございます",
        "감사합니다", "谢谢", "çok teşekkürler",
        "nice :smile:", "that's it, thanks",
    ),
    SmallTalk.HELP: (
        "help", "Help me please", "hi, can you help me?", "Hilfe!", "¿Puedes ayudarme?", "aide",
        "как ты работаешь?", "助けて", "도와주세요", "帮助", "yardım", "me ajuda",
    ),
    SmallTalk.ABILITIES: (
        "what can you do?", "hey, what can you do", "What do you know?", "Was kannst du alles?",
        "qué puedes hacer", "o que você faz?", "что ты умеешь?", "何ができますか？", "你能做什么？",
        "ne yapabilirsin?", "뭐 할 수 있어?", "tu peux faire quoi",
    ),
    SmallTalk.IDENTITY: (
        "who are you?", "What's your name?", "are you a bot?", "wer bist du?", "qui es-tu ?",
        "¿quién eres?", "quem é você?", "кто ты?", "あなたは誰ですか", "누구세요?", "你是谁？",
        "sen kimsin?", "Are you ChatGPT?",
    ),
    SmallTalk.INSULT: (
        "stupid bot", "you suck", "are you stupid?", "you're useless", "🖕", "blöder Bot",
        "ta gueule", "тупой бот", "バカ", "바보", "笨蛋", "aptal bot", "eres tonto", "você é burro",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kind"), [(said, kind) for kind, some in KINDS.items() for said in some]
)
def test_is_recognised(said: str, kind: SmallTalk) -> None:
    assert small_talk(said) is kind


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   ",
        "?",
        "help me with roles",
        "thanks, but how do I undo that?",
        "hi, how do I vote on an answer?",
        "who are you in the picture",
        "what can you do with a webhook",
        "good question about pins",
        "and on a phone?",
        "how do I ban an idiot",
        "thank you page of a shop",
        "yes but the role is gone",
        "Danke, aber wie mache ich das rückgängig?",
        "help " * 100,
        "привет, как закрепить сообщение",
        "https://example.org/thanks",
        "```\nhi\n```\nwhat does this print",
    ],
)
def test_a_question_or_anything_else_is_none(said: str) -> None:
    assert small_talk(said) is None
