"""In which language things are said: in public the server's, in private each member's."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord.app_commands import Choice

from bot.errors import ConfigError, StoreError
from bot.i18n import ENGLISH, current, language_of, speaking
from bot.languages import Translator
from bot.models import Answer, Thread
from bot.services.queues import Busy
from bot.settings import load_settings
from tests.kit.messages import labels, last, shown, told, vote_id
from tests.kit.simcord import set_locale, set_server_locale
from tests.kit.world import World


@pytest.fixture
def german(world: World) -> World:
    """A server in German, as it is set in Discord, whose members have theirs in English."""
    set_server_locale(world.env, world.guild.id, "de")
    return world


async def speaks(world: World) -> str:
    """Return the language that the bot speaks on the server."""
    assert world.bot.guilds
    return await world.bot.languages.of_guild(world.bot.get_guild(world.guild.id))


async def choose(world: World, language: str) -> str:
    """Set the server's language as a moderator, and return what is said."""
    result = await world.mo.slash(world.general, "settings language", language=language)
    return str(shown(result).content)


class TestServers:
    async def test_the_language_is_that_of_discord_at_first(self, german: World) -> None:
        assert await speaks(german) == "de"

    async def test_moderators_choose_another(self, german: World) -> None:
        said = await choose(german, "en")
        assert said.startswith("In channels I speak this language now: English.")
        assert await speaks(german) == "en"
        card = shown(await german.mo.slash(german.general, "settings show")).embeds[0]
        assert ("Language", "English") in [(f.name, f.value) for f in card.fields]

    async def test_it_can_be_left_to_discord_again(self, german: World) -> None:
        await choose(german, "en")
        assert "as set in Discord" in await choose(german, "discord")
        assert await speaks(german) == "de"

    async def test_it_is_kept(self, german: World) -> None:
        await choose(german, "en")
        await german.restart()
        assert await speaks(german) == "en"

    async def test_one_that_is_unknown_is_refused(self, world: World) -> None:
        with pytest.raises(Exception, match="language"):
            await choose(world, "tlh")

    async def test_an_unreadable_setting_is_no_reason_to_say_nothing(
        self, german: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def fail(_guild_id: int) -> Any:
            raise StoreError("the disk is gone")

        monkeypatch.setattr(german.app.guilds, "settings", fail)
        assert await speaks(german) == "de"
        assert "its language can't be read" in caplog.text

    async def test_outside_of_servers_it_is_english(self, world: World) -> None:
        assert await world.bot.languages.of_guild(None) == ENGLISH


class TestPublicWords:
    """Alice's Discord is in English, the server's is in German."""

    async def test_answers_are_in_the_servers_language(self, german: World) -> None:
        await german.alice.send(german.ask, "how do I vote on an answer?")
        card = last(german.ask)
        assert card.embeds[0].author.name == "Akzeptierte Antwort"
        assert "akzeptiert" in card.embeds[0].footer.text
        assert "Nicht meine Frage" in labels(card)
        assert card.embeds[0].title == "How do I vote on an answer?"

    async def test_what_a_press_opens_for_one_member_is_in_theirs(self, german: World) -> None:
        await german.alice.send(german.ask, "how do I vote on an answer?")
        opened = await german.alice.click(last(german.ask), label="Weitere Antworten (1)")
        assert "answer 2 of 2" in shown(opened).embeds[0].footer.text

    async def test_what_takes_the_place_of_a_card_stays_public(self, german: World) -> None:
        await german.alice.send(german.ask, "how do I vote on an answer?")
        await german.alice.click(last(german.ask), label="Nicht meine Frage")
        assert "Zurückgenommen." in last(german.ask).content

    async def test_commands_answer_in_the_members_unless_all_see_it(self, german: World) -> None:
        async def asked(**how: Any) -> str:
            question = "how do I vote on an answer?"
            result = await german.alice.slash(german.general, "ask", question=question, **how)
            return str(shown(result).embeds[0].author.name)

        assert await asked() == "Accepted answer"
        assert await asked(share=True) == "Akzeptierte Antwort"

    async def test_a_shared_page_is_in_the_servers_language(self, german: World) -> None:
        result = await german.alice.slash(german.general, "thread", query="vote", share=True)
        assert shown(result).embeds[0].author.name == "Frage"
        result = await german.alice.slash(german.general, "thread", query="vote")
        assert shown(result).embeds[0].author.name == "Question"

    async def test_a_refusal_in_a_channel_is_in_the_servers_language(self, german: World) -> None:
        await german.alice.send(german.general, f"{german.me} which colour has the moon's cheese?")
        assert last(german.general).content.startswith("Dazu habe ich noch nichts.")


class TestMembers:
    async def test_read_what_is_theirs_alone_in_their_own_language(self, world: World) -> None:
        set_locale(world.env, world.alice, "de")
        result = await world.alice.slash(world.general, "forget-me")
        assert shown(result).content.startswith("Soll ich deine Stimmen auf allen Servern")
        result = await world.bob.slash(world.general, "forget-me")
        assert shown(result).content.startswith("Shall I delete your votes")

    async def test_are_refused_in_their_own_language(self, german: World) -> None:
        set_locale(german.env, german.alice, "de")
        command = next(c for c in await german.bot.tree.fetch_commands() if c.name == "settings")
        german.guild.set_command_permissions(command, {german.alice: True, german.bob: True})
        refused = await german.alice.slash(german.general, "settings reset")
        assert shown(refused).content == "Dafür brauchst du die Berechtigung *Server verwalten*."
        refused = await german.bob.slash(german.general, "settings reset")
        assert shown(refused).content == "You need the *Manage Server* permission for this."
        assert len(german.env.errors) == 2

    async def test_are_told_of_mistakes_in_their_own_language(self, world: World) -> None:
        set_locale(world.env, world.mo, "de")
        listed = await world.mo.slash(world.general, "library restore")
        assert shown(listed).content == "In den letzten 24 Stunden wurde nichts entfernt."
        assert len(world.env.errors) == 1

    async def test_are_told_of_a_refused_vote_in_their_own_language(self, world: World) -> None:
        set_locale(world.env, world.alice, "de")
        mine = Answer(body="In the shed.", author=f"<@{world.alice.id}>")
        await world.app.library.add(
            [Thread(key="rake", title="Where is the rake?", answers=(mine,))]
        )
        page = shown(await world.alice.slash(world.general, "thread", query="rake"))
        refused = await world.alice.click(page, custom_id=vote_id(page, "up"))
        assert told(refused).content == "Über deine eigene Antwort kannst du nicht abstimmen."

    async def test_of_an_error_that_was_made_for_another_read_their_own(self) -> None:
        error = Busy()
        with speaking("de"):
            assert str(error).startswith("Ich habe gerade sehr viele Fragen")
        assert str(error).startswith("I have a lot of questions")

    async def test_have_answers_of_direct_messages_in_their_language_once_it_is_known(
        self, world: World
    ) -> None:
        async def spoken(message: Any) -> str:
            await world.bot.languages.speak_under(message)
            return current()

        class Direct:
            guild = None
            author = discord.Object(world.alice.id)

        assert await spoken(Direct()) == ENGLISH
        set_locale(world.env, world.alice, "de")
        asked = await world.alice.slash(world.general, "forget-me")
        assert await spoken(Direct()) == "de"
        await world.alice.click(shown(asked), label="Löschen")
        assert await spoken(Direct()) == ENGLISH


class TestCommands:
    """What Discord is told of the commands."""

    async def payload(self, world: World) -> list[dict[str, Any]]:
        return [
            await command.get_translated_payload(world.bot.tree, Translator())
            for command in world.bot.tree.get_commands()
        ]

    async def test_descriptions_and_choices_have_translations(self, world: World) -> None:
        settings = next(c for c in await self.payload(world) if c["name"] == "settings")
        language = next(o for o in settings["options"] if o["name"] == "language")
        assert language["description_localizations"]["de"].startswith("Lege fest, in welcher Spr")
        assert language["options"][0]["choices"][0]["name_localizations"]["de"].startswith("wie")

    async def test_names_stay_but_of_menus(self, world: World) -> None:
        def named(command: dict[str, Any]) -> None:
            assert not command.get("name_localizations"), command["name"]
            for option in command.get("options", ()):
                named(option)

        for command in await self.payload(world):
            if "description" in command:
                named(command)

    async def test_all_is_within_what_discord_takes(self, world: World) -> None:
        def sizes(part: Any) -> list[int]:
            """The longest form of each name and description of a command, and of its values."""
            if isinstance(part, list):
                return [size for each in part for size in sizes(each)]
            if not isinstance(part, dict):
                return []
            lengths = []
            for what in ("name", "description"):
                texts = [part.get(what) or "", *(part.get(f"{what}_localizations") or {}).values()]
                assert all(len(text) <= 100 for text in texts), texts
                lengths.append(max(map(len, texts)))
            return [*lengths, *sizes(part.get("options")), *sizes(part.get("choices"))]

        for command in await self.payload(world):
            assert sum(sizes(command)) <= 4_000, command["name"]
            assert command["type"] == 1 or len(command["name"]) <= 32

    async def test_what_is_english_is_not_repeated(self) -> None:
        translator, string = Translator(), discord.app_commands.locale_str("Language")
        context: Any = discord.app_commands.TranslationContext(
            discord.app_commands.TranslationContextLocation.choice_name, Choice(name="", value="")
        )
        american = discord.Locale.american_english
        assert await translator.translate(string, american, context) is None
        assert await translator.translate(string, discord.Locale.german, context) == "Sprache"


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        (discord.Locale.german, "de"),
        (discord.Locale.spain_spanish, "es"),
        (discord.Locale.latin_american_spanish, "es"),
        (discord.Locale.brazil_portuguese, "pt_BR"),
        (discord.Locale.chinese, "zh_CN"),
        (discord.Locale.taiwan_chinese, ENGLISH),  # in other characters
        (discord.Locale.british_english, ENGLISH),
        (discord.Locale.dutch, ENGLISH),
    ],
)
def test_discords_locales_have_the_nearest_language(locale: discord.Locale, language: str) -> None:
    assert language_of(str(locale)) == language


class TestHosts:
    @pytest.mark.parametrize("language", ["de", "pt_BR", ENGLISH, "discord"])
    def test_choose_what_is_spoken_where_nobody_chose(
        self, monkeypatch: pytest.MonkeyPatch, language: str
    ) -> None:
        monkeypatch.setenv("SERVER_LANGUAGE", language)
        settings = load_settings(_env_file=None)
        assert settings.guild_defaults.server_language == language

    def test_are_told_of_one_that_is_not_spoken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SERVER_LANGUAGE", "tlh")
        with pytest.raises(ConfigError, match=r"SERVER_LANGUAGE: must be discord, en, .* or zh_CN"):
            load_settings(_env_file=None)

    def test_may_have_a_language_of_the_systems_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGUAGE", "de_DE:en")
        assert load_settings(_env_file=None).server_language == "discord"
