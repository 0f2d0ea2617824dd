"""Biographies: who somebody is, in three to five sentences, each of which tells one fact, in any order."""

from tymbal.corpora.world.grammar import Node, Option, Sequenced, Text
from tymbal.corpora.world.speech import TOLD_OF_PEOPLE, Speech, some
from tymbal.corpora.world.templates import one_of

OPENINGS = {
    "en": "[This is the life of|Here is what we know of|A short life of|About|The story of] {person}.",
    "de": "[Dies ist das Leben von|Das wissen wir von|Ein kurzes Leben von|Über|Die Geschichte von] {person}.",
    "fr": "[Voici la vie|Voici ce que l'on sait|Une courte vie|À propos|L'histoire] {of_person}.",
    "es": "[Esta es la vida de|Esto es lo que sabemos de|Una breve vida de|Acerca de|La historia de] {person}.",
}

SENTENCES = {
    "en": {
        "home": "{Who} [lives|has a house|makes a home|has settled|dwells] {home}.",
        "profession": "{Who} [is|works as|earns a living as|has become|makes a good living as] {profession}.",
        "born": "{Who} was born in [|the year ]{born}.",
        "friend": "{Who} is [closest to|a friend of|often seen with|fond of] {friend}.",
        "employer": "{Who} [works for|is employed by|is in the service of|has found work with] {employer}.",
        "animal": "{Who} [keeps|owns|looks after|has] {animal}[| at home].",
    },
    "de": {
        "home": "{Who} [lebt|wohnt|hat ein Haus|ist zu Hause|besitzt ein Haus] {home}.",
        "profession": "{Who} [ist|ist von Beruf|arbeitet als|verdient den Unterhalt als|wurde] {profession}.",
        "born": "{Who} wurde [|im Jahr |im Jahre ]{born} geboren.",
        "friend": "{Who} ist [befreundet|gut befreundet|oft zusammen|seit Langem vertraut] mit {friend}.",
        "employer": "{Who} [arbeitet für|ist angestellt bei|steht im Dienst von|fand Arbeit bei] {employer}.",
        "animal": "{Who} [hält|besitzt|versorgt|hat] {animal}[| zu Hause].",
    },
    "fr": {
        "home": "{Who} [vit|habite|a une maison|demeure|s'est établi{e}] {home}.",
        "profession": "{Who} [est|travaille comme|gagne sa vie comme|est devenu{e}|exerce comme] {profession}.",
        "born": "{Who} est né{e} en [|l'an ]{born}.",
        "friend": "{Who} [est proche {of_friend}|s'entend bien avec {friend}|est souvent avec {friend}|"
        "tient à {friend}].",
        "employer": "{Who} [travaille pour|est employé{e} par|est au service de|a trouvé du travail chez] {employer}.",
        "animal": "{Who} [élève|possède|soigne|a] {animal}[| à la maison].",
    },
    "es": {
        "home": "{Who} [vive|reside|tiene una casa|tiene su hogar|se ha establecido] {home}.",
        "profession": "{Who} [es|trabaja como|se gana la vida como|llegó a ser|ejerce como] {profession}.",
        "born": "{Who} nació en [|el año ]{born}.",
        "friend": "{Who} [tiene amistad con|se lleva bien con|suele estar con|confía en] {friend}.",
        "employer": "{Who} [trabaja para|tiene empleo en|está al servicio de|encontró trabajo en] {employer}.",
        "animal": "{Who} [cría|posee|cuida de|tiene] {animal}[| en casa].",
    },
}

PRONOUNS = {"en": ("She", "He"), "de": ("Sie", "Er"), "fr": ("Elle", "Il"), "es": ("Ella", "Él")}
PROFESSION_ARTICLE = {"en": "indef", "de": None, "fr": None, "es": None}


def build(speech: Speech) -> Node:
    language = speech.language
    subject = one_of([speech.by_gender("person", *PRONOUNS[language]), speech.first_name("person")])
    slots = {
        "person": speech.person("person"),
        "of_person": speech.person("person", say="of"),
        "Who": subject,
        "e": speech.by_gender("person", "e", ""),
        "home": speech.told("home", say="in"),
        "profession": speech.told("profession", article=PROFESSION_ARTICLE[language]),
        "born": speech.told("born"),
        "friend": speech.told("friend"),
        "of_friend": speech.told("friend", say="of"),
        "employer": speech.told("employer"),
        "animal": speech.told("animal", article="indef", case="acc"),
    }
    sentences = [
        Option(one_of([SENTENCES[language][attribute]], slots), speech.tellable(attribute))
        for attribute in TOLD_OF_PEOPLE
    ]
    return Sequenced([one_of([OPENINGS[language]], slots), Text(" "), some(sentences, 2, 5)])
