"""Dialogues: two people meet, greet, speak of the weather, ask after somebody, and bargain over a good."""

from tymbal.corpora.world.grammar import Choice, Distribution, Node, Numbers, Option, Picked, Scope, Sequenced, Text
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

TURNS = {
    "en": {
        "meeting": "{A} meets {B} [at the market|in the street|at the well|by the river|on the bridge] in {town}.",
        "greeting": "[Good day|Hello|Good morning|What a surprise], {b}!",
        "answer": "[Good day|Hello|Greetings], {a}![ How are you?| Are you well?|]",
        "weather": "[They say that|I remember that] {weather_clause} [yesterday|all day].",
        "agree": "[Yes, I saw it.|So they say.|I did not notice.]",
        "ask_home": "[Do you know where|Can you tell me where|Have you heard where] {person} {lives}",
        "home": "[I think|Yes,] {she} lives {home}.",
        "ask_work": "[And what does {person} do|What is the trade of {person}] [now|these days]?",
        "work": "[I hear|As far as I know,] {she} is {profession}.",
        "offer": "[I sell|I have|I can offer you] {good} for {price} coins.",
        "high": "[That is too dear|Too much for me]. [I give you|I offer] {less}.",
        "deal": "[Agreed.|Very well.|All right, take it.]",
        "parting": "[Farewell|Goodbye|See you soon], {b}.",
    },
    "de": {
        "meeting": "{A} trifft {B} [auf dem Markt|auf der Straße|am Brunnen|am Fluss|auf der Brücke] in {town}.",
        "greeting": "[Guten Tag|Hallo|Guten Morgen|Welch eine Überraschung], {b}!",
        "answer": "[Guten Tag|Hallo|Sei gegrüßt], {a}![ Wie geht es dir?| Geht es dir gut?|]",
        "weather": "[Hast du gehört?|Stell dir vor:] Gestern {weather_clause}[| den ganzen Tag].",
        "agree": "[Ja, ich habe es gesehen.|So sagt man.|Das habe ich nicht bemerkt.]",
        "ask_home": "[Weißt du, wo|Sag mir, wo|Kannst du mir sagen, wo] {person} {lives}",
        "home": "[Ich glaube,|Ja,] {she} wohnt {home}.",
        "ask_work": "[Und was macht {person}|Was ist {person} von Beruf]?",
        "work": "[Ich höre,|Soviel ich weiß:] {she} ist {profession}.",
        "offer": "[Ich verkaufe|Ich habe|Ich biete dir] {good} für {price} Münzen.",
        "high": "[Das ist zu teuer|Zu viel für mich]. [Ich gebe dir|Ich biete] {less}.",
        "deal": "[Einverstanden.|Nun gut.|Gut, nimm es.]",
        "parting": "[Leb wohl|Auf Wiedersehen|Bis bald], {b}.",
    },
    "fr": {
        "meeting": "{A} rencontre {B} [au marché|dans la rue|au puits|au bord du fleuve|sur le pont] à {town}.",
        "greeting": "[Bonjour|Salut|Bien le bonjour|Quelle surprise], {b} !",
        "answer": "[Bonjour|Salut|Bienvenue], {a} ![ Comment vas-tu ?| Tout va bien ?|]",
        "weather": "[Le sais-tu ?|Tu as vu ?] Hier {weather_clause}[| toute la journée].",
        "agree": "[Oui, je l'ai vu.|C'est ce qu'on dit.|Je n'ai rien remarqué.]",
        "ask_home": "[Sais-tu où|Dis-moi où|Peux-tu me dire où] {lives} {person} ?",
        "home": "[Je crois savoir :|Oui,] {she} habite {home}.",
        "ask_work": "[Et que fait {person}|Quel métier exerce {person}] [maintenant|ces jours-ci] ?",
        "work": "[On me dit ceci :|Autant que je sache,] {she} est {profession}.",
        "offer": "[Je vends|J'ai|Je te propose] {good} pour {price} pièces.",
        "high": "[C'est trop cher|C'est trop pour moi]. [Je te donne|J'offre] {less}.",
        "deal": "[D'accord.|Très bien.|Soit, prends.]",
        "parting": "[Adieu|Au revoir|À bientôt], {b}.",
    },
    "es": {
        "meeting": "{A} se encuentra con {B} [en el mercado|en la calle|en el pozo|junto al río|en el puente] "
        "en {town}.",
        "greeting": "¡[Buenos días|Hola|Buenas tardes|Qué sorpresa], {b}!",
        "answer": "¡[Buenos días|Hola|Saludos], {a}![ ¿Cómo estás?| ¿Todo bien?|]",
        "weather": "[¿Lo sabes?|¿Lo viste?] Ayer {weather_clause}[| todo el día].",
        "agree": "[Sí, lo vi.|Eso dicen.|No lo noté.]",
        "ask_home": "¿[Sabes dónde|Puedes decirme dónde|Has oído dónde] {lives} {person}?",
        "home": "[Creo que|Sí,] {she} vive {home}.",
        "ask_work": "¿[Y a qué se dedica {person}|Qué oficio tiene {person}] [ahora|estos días]?",
        "work": "[Me dicen que|Por lo que sé,] {she} es {profession}.",
        "offer": "[Vendo|Tengo|Te ofrezco] {good} por {price} monedas.",
        "high": "[Es demasiado caro|Es mucho para mí]. [Te doy|Ofrezco] {less}.",
        "deal": "[De acuerdo.|Muy bien.|Vale, llévatelo.]",
        "parting": "[Adiós|Hasta luego|Hasta pronto], {b}.",
    },
}

LIVES = {
    "en": "[lives|has a house]?",
    "de": "[wohnt|lebt]?",
    "fr": "[habite|demeure]",
    "es": "[vive|reside]",
}
PRONOUNS = {"en": ("she", "he"), "de": ("sie", "er"), "fr": ("elle", "il"), "es": ("ella", "él")}
GOOD_ARTICLE = {"en": None, "de": None, "fr": "some", "es": None}


DEAREST = 40  # coins
_COINS = Numbers(1, DEAREST)


def build(speech: Speech) -> Node:
    """Either marks the lines by the speakers' first names or by dashes."""
    return Choice([Option(_dialogue(speech, named=True)), Option(_dialogue(speech, named=False))])


def _dialogue(speech: Speech, *, named: bool) -> Node:
    def line(speaker: str, turn: str, topic: str = "person") -> Node:
        opening = Sequenced([speech.first_name(speaker), Text(": ")]) if named else Text("– ")
        return Sequenced([Text("\n"), opening, template(TURNS[speech.language][turn], _slots(speech, topic))])

    def maybe(*lines: Node) -> Node:
        return one_of([Text(""), Sequenced(lines)])

    meeting = template(TURNS[speech.language]["meeting"], _slots(speech, "person"))
    home = [line("A", "ask_home", "asked for home"), line("B", "home", "asked for home")]
    work = [line("A", "ask_work", "asked for work"), line("B", "work", "asked for work")]
    parts = [
        meeting,
        line("A", "greeting"),
        line("B", "answer"),
        maybe(line("A", "weather"), line("B", "agree")),
        one_of([Sequenced(home), Sequenced(work), Sequenced([*home, *work])]),
        maybe(line("A", "offer"), one_of([line("B", "deal"), Sequenced([line("B", "high"), line("A", "deal")])])),
        maybe(line("A", "parting")),
    ]
    return Sequenced(parts)


def _slots(speech: Speech, topic: str) -> dict[str, Node]:
    language = speech.language
    attribute = "profession" if topic == "asked for work" else "home"
    order = "inverted" if language == "de" else "main"
    return {
        "A": speech.person("A"),
        "B": speech.person("B", apart_from=("A",)),
        "a": speech.first_name("A"),
        "b": speech.first_name("B"),
        "town": speech.town("town"),
        "person": speech.person(topic, telling=(attribute,), apart_from=("A", "B")),
        "she": speech.by_gender(topic, *PRONOUNS[language]),
        "lives": template(LIVES[language], {}),
        "home": speech.told("home", of=topic, say="in"),
        "profession": speech.told("profession", of=topic, article="indef" if language == "en" else None),
        "weather_clause": speech.said(
            "weather", "weather", lambda concept: speech.words.weather_clause(concept, "past", order)
        ),
        "good": speech.good("good", article=GOOD_ARTICLE[language]),
        "price": speech.number("price", 2, DEAREST),
        "less": Picked("less", _below_price, lambda scope: _COINS, None),
    }


def _below_price(scope: Scope) -> Distribution:
    return Distribution.uniform(range(1, int(scope["price"])))
