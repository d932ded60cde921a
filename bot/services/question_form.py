"""Tests of whether a message reads like a question, in the languages most used on Discord.

They are English, German, French, Spanish, Portuguese, Italian, Polish, Russian, Turkish,
Indonesian, Vietnamese, Arabic, Japanese, Korean and Chinese. A question mark is enough in any
language, unless it stands in a link, in code or in a mention.
"""

from __future__ import annotations

import re
import unicodedata

_MARKS = "?\u00bf\uff1f\u061f\u037e\u2e2e"

_CODE = re.compile(r"```[\s\S]*?```|`[^`\n]*`")
LINK = re.compile(r"https?://[^\s<>()]+")
_MENTION = re.compile(r"</?[@#:a-z][^<>\s]{0,100}(?: [^<>\s]{1,100}){0,3}>")
_QUOTATIONS = (_CODE, LINK, _MENTION)

_GREETINGS = (
    "hi|hey|hello|so|ok|okay|and|but|please|guys|everyone|all|anyone|"
    "hallo|moin|servus|und|aber|bitte|also|leute|"
    "salut|bonjour|bonsoir|et|mais|alors|svp|"
    "hola|buenas|y|pero|oye|amigos|oi|olá|ola|bom|boa|dia|tarde|noite|gente|galera|e|mas|"
    "ciao|salve|ragazzi|ma|allora|"
    "cześć|hej|siema|a|ale|"
    "привет|здравствуйте|ребята|а|и|но|"
    "selam|merhaba|arkadaşlar|halo|kak|bang|guys|chào|"
    "مرحبا|السلام|عليكم|يا"
)
"""Words before a question that don't ask themselves."""

_OPENINGS = {
    "English": (
        r"who|whom|whose|what|whats|when|where|which|why|how|hows|is|are|am|was|were|do|does|did|"
        r"can|could|may|might|will|would|shall|should|have|had|any\s?(?:one|body|idea|way)|"
        r"has\s+(?:any\w{0,6}|some\w{0,6}|the|this|that|it|he|she|there|my|your)|isnt|arent|dont|doesnt|didnt|cant|couldnt|wont|wouldnt|help"
    ),
    "German": (
        r"wie|wer|wen|wem|wessen|wo|wann|warum|wieso|weshalb|welche[rsnm]?|woher|wohin|womit|"
        r"wozu|wofür|woran|worüber|kann|kannst|können|könnt|könnte|darf|dürfen|muss|"
        r"müssen|soll|sollte|ist|sind|gibt|geht|habt|hilfe|hat\s+(?:jemand|wer|man|das|der)|"
        r"weiß\s+(?:jemand|wer)|"
        r"kennt\s+(?:jemand|wer)"
    ),
    "French": (
        r"pourquoi|quand|où|qui|quel(?:le)?s?|combien|quest\W+ce|est\W+ce|peut\W+on|puis\W+je|"
        r"pouvez\W+vous|peux\W+tu|y\W+a\W+t\W+il|cest\s+quoi|quoi|à\s+quoi|quelquun|que\s+faire|"
        r"comment\s+(?:on|je|tu|faire|puis|peut|est|ça|ca|(?!here|there)\w{1,20}(?:er|ir|re))"
    ),
    "Spanish": (
        r"c[óo]mo|qué|cu[áa]ndo|d[óo]nde|por\s+qu[ée]|porqué|qui[ée]n(?:es)?|cu[áa]l(?:es)?|"
        r"cu[áa]nt[oa]s?|puedo|puedes|puede|pueden|se\s+puede|"
        r"hay\s+(?:alg\w{1,5}|una?|manera|forma)|alguien|es\s+posible|sabes|"
        r"saben|me\s+pued\w{1,4}|ayuda|que\s+(?:es|hago|significa|pasa|tengo|puedo|hace|son)"
    ),
    "Portuguese": (
        r"o\s+que|oq|qual|quais|quando|onde|por\s*que|porquê|pq|quem|quant[oa]s?|posso|pode|"
        r"podem|d[áa]\s+(?:para|pra)|tem\s+(?:como|jeito)|algu[ée]m|é\s+possível|será\s+que|"
        r"consigo|existe|ajuda"
    ),
    "Italian": (
        r"cosa|che\s+cosa|cosè|cos\Wè|perch[éèe]|dove\s+(?:si|posso|trovo|è|sono|devo|puoi|vedo)|"
        r"chi|qual[ei]?|quant[oaie]|si\s+pu[òo]|"
        r"puoi|potete|potrei|è\s+possibile|qualcuno|cè\s+(?:un|modo)|aiuto|"
        r"come\s+(?:si|posso|faccio|fare|mai|funziona|è|devo|vedo|trovo|puoi|\w{1,20}[aei]re)"
    ),
    "Polish": (
        r"jak|jaki|jaka|jakie|co\s|czy|gdzie|kiedy|dlaczego|czemu|kto|któr[yae]|ile|skąd|dokąd|"
        r"można|mogę|może\s+ktoś|da\s+się|ktoś|czym|komu|pomocy"
    ),
    "Russian": (
        r"как|что|чё|где|когда|почему|зачем|кто|как(?:ой|ая|ое|ие)|сколько|"
        r"куда|откуда|можно|может|есть\s+ли|чем|подскажи(?:те)?|помогите|\w{1,20}\s+ли"
    ),
    "Turkish": (
        r"nasıl|ne\s+(?:zaman|kadar|yap\w{0,9}|demek|oldu|işe|var)|neden|niye|niçin|nere\w{0,4}|"
        r"kim\s+(?:bu|bilir|biliyor|bilen|var)|hangi|kaç|yardım"
    ),
    "Indonesian": (
        r"apa|apakah|bagaimana|gimana|gmn|kenapa|knp|mengapa|siapa|kapan|di\s?mana|berapa|bisakah|"
        r"bolehkah|adakah|ada\s+yang\s+ta[hu]u?|cara\s+me\w{1,15}|tolong"
    ),
    "Vietnamese": (
        r"ai\s+(?:biết|có|đã|cho|là|giúp)|sao|làm\s+sao|làm\s+thế\s+nào|tại\s+sao|vì\s+sao|"
        r"có\s+ai|khi\s+nào|mấy"
    ),
    "Arabic": (
        r"هل|كيف|لماذا|ليش|ليه|[أا]ين|وين|فين|متى|ماذا|شو|[اإ]يش|شلون|[اإ]زاي|كم|"
        r"[أا]ي|ممكن|ما\s+(?:هو|هي|معنى)|من\s+(?:هو|هي|يعرف|يستطيع)"
    ),
}
"""How questions begin, by language: words of which a message begins with one."""

_ASKING = re.compile(
    rf"^\W*(?:(?:{_GREETINGS})\b\W*)*(?:{'|'.join(_OPENINGS.values())})\b", re.IGNORECASE
)

_ANYWHERE = {
    "Turkish": (
        r"\bnasıl\b|\bneden\b|\bm[ıü]\s*$|\bm[ıiuü](?:y[ıiuü]m|s[ıiuü]n(?:[ıiuü]z)?|y[ıiuü]z)\b|"
        r"(?:\bvar|\bolur|yor|[ıiuü]r)\s+m[ıiuü]\s*$"
    ),
    "Indonesian": r"\b(?:bagaimana|gimana|kenapa|mengapa|apakah|berapa)\b",
    "Vietnamese": (
        r"\b(?:làm sao|lam sao|làm thế nào|như thế nào|thế nào|tại sao|vì sao|ở đâu|"
        r"khi nào|bao nhiêu|bao giờ|cái gì|là gì)\b|"
        r"\b(?:không|chưa|gì|nhỉ)(?:\s+(?:ạ|vậy|nhỉ))?\s*$"
    ),
}
"""What shows a question elsewhere in a message, by language."""

_INSIDE = re.compile("|".join(_ANYWHERE.values()), re.IGNORECASE)

_UNSPACED = re.compile(
    "どう(?:やって|して|すれば|したら|なる|いう)|なぜ|何(?:で|が|を|の|故|処)|どこ|いつ(?:から|まで|に)|誰(?:が|か)|どの|どれ|"
    "(?:です|ます|ました|ません|でしょう|るの)か|かな[ー～。\\s]*$|教えて|"  # Japanese
    "怎么|怎麼|怎樣|怎样|如何|为什么|為什麼|為何|为何|什么|什麼|哪(?:里|裡|儿|个|個|些)|谁(?:能|知|可)|多少|"
    "能不能|可不可以|是不是|有没有|有沒有|(?:吗|嗎)[。\\s]*$|"  # Chinese
    "어떻게|어떡해|어디|언제|누가|누구|무엇|뭐(?:에|예|야|가|해)|왜\\s|(?:나요|까요|가요|니까|나|냐)[.\\s]*$"
)
"""What shows a question in Japanese, Chinese and Korean."""

MIN_WORDS = 3
"""Words of a question without a question mark at least: "why though" can't be looked up."""

MIN_UNSPACED = 5
"""Letters of one in a language that has no spaces between words."""


def reads_like_a_question(text: str) -> bool:
    """Return whether a message asks something: by a question mark, or by the words it is put in."""
    spoken = unicodedata.normalize("NFC", without_quotations(text))
    if any(_asks_by_mark(word) for word in spoken.split()):
        return True
    if len(spoken.strip()) >= MIN_UNSPACED and _UNSPACED.search(spoken):
        return True
    spoken = spoken.replace("'", "").replace("\u2019", "").rstrip(' .!\u2026)"')
    if len(spoken.split()) < MIN_WORDS:
        return False
    return _ASKING.match(spoken) is not None or _INSIDE.search(spoken) is not None


def without_quotations(text: str) -> str:
    """Return a text without code, links and mentions, whose signs are not the writer's."""
    for pattern in _QUOTATIONS:
        text = pattern.sub(" ", text)
    return text


def masked_quotations(text: str) -> str:
    """Return a text of the same length with underscores in the place of what is quoted."""
    for pattern in _QUOTATIONS:
        text = pattern.sub(lambda quoted: "_" * len(quoted[0]), text)
    return text


def _asks_by_mark(word: str) -> bool:
    """Return whether a word has a question mark; within an address it is none."""
    if "/" in word and "." in word.partition("/")[0]:
        return word[-1] in _MARKS
    return any(mark in word for mark in _MARKS)
