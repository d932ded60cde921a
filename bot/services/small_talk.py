"""Small talk: messages that greet, thank or ask about the bot itself, and ask nothing else.

A message counts if it is put together from known phrases and fillers alone, so that "help" is
small talk and "help me with roles" is a question. The phrases are in the ten languages that the
bot speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum


class SmallTalk(StrEnum):
    """The kind of a message of small talk; the later ones decide where there are several."""

    GREETING = "greeting"
    THANKS = "thanks"
    HELP = "help"
    ABILITIES = "abilities"
    IDENTITY = "identity"
    INSULT = "insult"


LONGEST = 14
"""Words of the longest message that is looked at."""

_PHRASES = {
    SmallTalk.GREETING: """
        hi | hii | hiya | hello | hey | heya | heyo | yo | howdy | greetings | sup | whats up
        wassup | good morning | good evening | good afternoon | good day | good night | morning
        evening | bye | goodbye | see you | see ya | cya | how are you | how are you doing
        how is it going | hows it going | you there | are you there | anyone here | anybody here
        welcome back | hallo | hallihallo | moin | moin moin | servus | grüß dich | grüß gott
        guten morgen | guten tag | guten abend | gute nacht | tschüss | tschüß | ciao | wie gehts
        wie geht es dir | bonjour | bonsoir | salut | coucou | bonne nuit | au revoir | ça va
        comment ça va | comment vas tu | hola | buenas | buenos días | buenos dias | buenas tardes
        buenas noches | adiós | adios | qué tal | que tal | cómo estás | como estas | olá | ola
        oi | bom dia | boa tarde | boa noite | tchau | tudo bem | como vai | привет | приветик
        здравствуй | здравствуйте | хай | доброе утро | добрый день | добрый вечер | пока
        как дела | こんにちは | こんばんは | おはよう | おはようございます | やあ | もしもし
        おやすみ | はじめまして | 안녕 | 안녕하세요 | 하이 | 잘 가 | 좋은 아침 | 你好 | 您好 | 嗨
        哈喽 | 早上好 | 晚上好 | 早安 | 晚安 | 再见 | 大家好 | 你好吗 | merhaba | selam | selamlar
        günaydın | iyi akşamlar | iyi geceler | iyi günler | nasılsın | naber | görüşürüz
    """,
    SmallTalk.THANKS: """
        thanks | thank you | thank u | thankyou | thx | ty | tysm | tyvm | cheers | ta
        much appreciated | appreciate it | i appreciate it | many thanks | thanks a lot
        thanks a bunch | great | nice | cool | awesome | perfect | amazing | excellent | good
        good bot | nice one | well done | good job | great job | lovely | brilliant | ok | okay
        kk | k | alright | got it | gotcha | i see | makes sense | that worked | it worked
        it works | works | that works | that helped | it helped | solved | that solved it
        that did it | that fixed it | fixed | no problem | np | never mind | nevermind | nvm | yes
        yep | yeah | no | nope | lol | lmao | haha | wow | love it | you are the best
        youre the best | that is it | thats it | that was it | danke | danke schön | dankeschön
        vielen dank | danke dir | tausend dank | super | klasse | prima | perfekt | toll | passt
        hat geklappt | hat funktioniert | das wars | alles klar | ja | nein | egal | merci
        merci beaucoup | parfait | génial | ça marche | d accord | oui | non | gracias
        muchas gracias | mil gracias | perfecto | genial | vale | sí | si | obrigado | obrigada
        muito obrigado | muito obrigada | valeu | vlw | perfeito | ótimo | beleza | sim | não
        спасибо | спс | большое спасибо | спасибо большое | благодарю | отлично | супер | понятно
        понял | поняла | ясно | да | нет | помогло | ありがとう | ありがとうございます
        ありがとうございました | どうも | 助かりました | 助かった | 了解 | 了解です | はい
        いいえ | 고마워 | 고마워요 | 감사합니다 | 고맙습니다 | 감사 | 네 | 아니요 | 해결됐어요
        谢谢 | 谢谢你 | 多谢 | 感谢 | 太好了 | 好的 | 明白了 | 解决了 | 是的 | teşekkürler
        teşekkür ederim | çok teşekkürler | çok teşekkür ederim | sağ ol | sağol | eyvallah
        süper | harika | tamam | evet | hayır | oldu | işe yaradı
    """,
    SmallTalk.HELP: """
        help | help me | i need help | need help | can you help | can you help me
        could you help me | can anyone help | can someone help | please help me | how do i use you
        how does this work | how do you work | how does it work | how do i use this
        how does this bot work | commands | what are your commands | hilfe | hilf mir
        ich brauche hilfe | kannst du mir helfen | kannst du helfen | wie funktionierst du
        wie funktioniert das | wie geht das | befehle | aide | à l aide | aide moi | aidez moi
        j ai besoin d aide | peux tu m aider | comment ça marche | comment tu marches | ayuda
        ayúdame | ayudame | necesito ayuda | puedes ayudarme | me puedes ayudar | cómo funciona
        cómo funcionas | comandos | ajuda | me ajuda | preciso de ajuda | pode me ajudar
        como funciona | como você funciona | помощь | помоги | помогите | помоги мне
        мне нужна помощь | ты можешь помочь | как ты работаешь | как это работает | команды
        ヘルプ | 助けて | 助けてください | 手伝って | 使い方 | 使い方を教えて | どうやって使うの
        도움말 | 도와줘 | 도와주세요 | 도움이 필요해요 | 어떻게 사용해요 | 사용법 | 帮助 | 帮帮我
        帮我 | 请帮帮我 | 怎么用 | 你怎么用 | 救命 | yardım | yardım et | yardım edin
        yardıma ihtiyacım var | bana yardım et | yardım eder misin | nasıl çalışıyorsun | komutlar
    """,
    SmallTalk.ABILITIES: """
        what can you do | what do you do | what can i ask you | what can i ask | what do you know
        what can you help with | what can you help me with | what can you answer
        what are you for | what are you good for | what are you able to do | what is this bot for
        what does this bot do | what else can you do | was kannst du | was kannst du alles
        was machst du | was kann ich dich fragen | was weißt du | wofür bist du da
        wobei kannst du helfen | que peux tu faire | que sais tu faire | tu peux faire quoi
        tu sais faire quoi | à quoi tu sers | qu est ce que tu peux faire | qué puedes hacer
        que puedes hacer | qué sabes hacer | qué haces | para qué sirves | o que você faz
        o que você pode fazer | o que você sabe | pra que você serve | что ты умеешь
        что ты можешь | что ты делаешь | что умеешь | что ты знаешь | 何ができるの
        何ができますか | なにができるの | 何ができる | 뭐 할 수 있어 | 뭘 할 수 있어
        무엇을 할 수 있어요 | 무엇을 할 수 있나요 | 你能做什么 | 你会什么 | 你会做什么
        你可以做什么 | 你有什么用 | ne yapabilirsin | neler yapabilirsin | ne işe yararsın
        ne yaparsın | ne biliyorsun
    """,
    SmallTalk.IDENTITY: """
        who are you | what are you | who is this | what is your name | whats your name
        who made you | who created you | are you a bot | are you human | are you real
        are you a robot | are you an ai | are you ai | are you chatgpt | are you alive
        is this a bot | introduce yourself | wer bist du | was bist du | wie heißt du
        wer hat dich gemacht | bist du ein bot | bist du ein mensch | bist du eine ki | qui es tu
        tu es qui | t es qui | comment tu t appelles | es tu un bot | es tu un robot
        tu es un bot | quién eres | quien eres | qué eres | cómo te llamas | eres un bot
        eres un robot | eres una ia | quem é você | quem é vc | o que você é | qual é o seu nome
        você é um bot | você é um robô | кто ты | ты кто | что ты такое | как тебя зовут | ты бот
        ты робот | ты человек | あなたは誰 | あなたは誰ですか | 誰ですか | 君は誰 | お名前は
        名前は何ですか | ボットですか | 너는 누구야 | 넌 누구야 | 누구세요 | 누구야 | 이름이 뭐야
        너 봇이야 | 봇이야 | 你是谁 | 你是什么 | 你叫什么 | 你叫什么名字 | 你是机器人吗 | 你是人吗
        sen kimsin | kimsin | sen nesin | adın ne | bot musun | sen bir bot musun | robot musun
    """,
    SmallTalk.INSULT: """
        stupid | stupid bot | dumb | dumb bot | idiot | you idiot | useless | useless bot
        bad bot | you suck | u suck | this bot sucks | you are stupid | youre stupid
        are you stupid | shut up | stfu | fuck you | fuck off | go away | i hate you
        you are useless | youre useless | trash | you are dumb | youre dumb | are you dumb | moron
        garbage | you are an idiot | youre an idiot | you are wrong | wrong | that is wrong
        thats wrong | blöd | blöder bot | dumm | dummer bot | bist du dumm | du bist dumm
        du bist doof | halt die klappe | schnauze | nutzlos | arschloch | idiote | débile
        ta gueule | tais toi | tu es nul | t es nul | tu es bête | inútil | idiota | estúpido
        tonto | cállate | callate | eres tonto | eres inútil | burro | cala a boca | você é burro
        você é inútil | тупой | тупой бот | дурак | идиот | заткнись | ты тупой | ты дурак
        бесполезный | ばか | バカ | 馬鹿 | うるさい | 役立たず | 바보 | 멍청이 | 닥쳐 | 쓸모없어
        笨蛋 | 傻瓜 | 傻逼 | 闭嘴 | 没用 | 你真笨 | 白痴 | aptal | salak | gerizekalı
        kapa çeneni | işe yaramaz
    """,
}

_FILLERS = """
    bot | bots | there | everyone | everybody | all | guys | folks | friend | friends | mate
    buddy | man | dude | please | pls | plz | so | so much | very much | a lot | again | oh | ah
    um | well | and | you | too | then | now | for that | for the help | for your help
    for everything | for helping | it | u | really | very | just | sir | team | my friend | lieber
    liebe | leute | zusammen | bitte | mal | sehr | dir | euch | alle | für die hilfe
    für deine hilfe | s il te plaît | s il vous plaît | tout le monde | beaucoup | por favor
    amigo | amigos | todos | a todos | muito | mesmo | gente | pessoal | galera | пожалуйста
    всем | бот | большое | за помощь | ねえ | ください | ボット | 봇 | 좀 | 请 | 机器人 | lütfen
    herkese | arkadaşlar | çok
"""

_SIGNS = {
    SmallTalk.GREETING: "👋🙋🤝",
    SmallTalk.THANKS: "🙏👍👏🥳💯✅🎉❤💖💜😍🥰🤩👌🙌🫶",
    SmallTalk.INSULT: "🖕👎🤬",
}

_ORDER = {kind: place for place, kind in enumerate(SmallTalk)}
_MARKUP = re.compile(r"<[@#:a][^<>]{0,80}>|:\w{1,40}:")
_APOSTROPHES = re.compile("(?<=n)['\u2019]t\\b|['\u2019](?=(?:s|re|m|ve|ll)\\b)")
_WORD = re.compile(r"\w+")

Tokens = tuple[str, ...]


def small_talk(text: str) -> SmallTalk | None:
    """Return what a message of small talk wants; ``None`` if it is anything else.

    Of "hi, thanks!" that is the thanks.
    """
    words = _words(text)
    if not words:
        signs = [kind for kind, some in _SIGNS.items() if any(sign in text for sign in some)]
        return max(signs, key=_ORDER.__getitem__, default=None)
    if len(words) > LONGEST:
        return None
    return max(_parsed(words), key=_ORDER.__getitem__, default=None)


def _words(text: str) -> Tokens:
    spoken = _APOSTROPHES.sub("", _MARKUP.sub(" ", text.casefold()))
    return tuple(_WORD.findall(spoken))


def _parsed(words: Tokens) -> set[SmallTalk]:
    """Return the kinds of the fewest phrases that make up a text; none if there are none."""
    fewest: list[list[SmallTalk | None] | None] = [[], *[None] * len(words)]
    for start, before in enumerate(fewest):
        if before is None:
            continue
        for end in range(start + 1, min(start + _MOST, len(words)) + 1):
            phrase, known = words[start:end], fewest[end]
            if phrase in _KINDS and (known is None or len(before) + 1 < len(known)):
                fewest[end] = [*before, _KINDS[phrase]]
    return {kind for kind in fewest[-1] or [] if kind is not None}


def _table() -> Iterator[tuple[Tokens, SmallTalk | None]]:
    for line in _FILLERS.split("\n"):
        yield from ((_words(phrase), None) for phrase in line.split("|"))
    for kind, phrases in _PHRASES.items():
        for line in phrases.split("\n"):
            yield from ((_words(phrase), kind) for phrase in line.split("|"))


_KINDS: Mapping[Tokens, SmallTalk | None] = {words: kind for words, kind in _table() if words}
_MOST = max(map(len, _KINDS))
