"""Key-value records of a person, a town or a firm, in five layouts; a person's may end with a door code."""

from collections.abc import Sequence
from typing import NamedTuple

from tymbal.corpora.world.grammar import Choice, Marked, Node, Option, Sequenced, Text
from tymbal.corpora.world.speech import TOLD_OF_PEOPLE, TOLD_OF_TOWNS, Speech, some
from tymbal.corpora.world.templates import template

KEYS = {
    "en": {
        "person": "[person|resident|citizen]",
        "town": "town",
        "firm": "firm",
        "home": "[home|lives in|residence]",
        "profession": "[profession|trade|occupation]",
        "born": "[born|year of birth]",
        "friend": "[friend|close to]",
        "employer": "[employer|works for]",
        "animal": "[animal|pet]",
        "door_code": "[door code|secret code] (confidential)",
        "founded": "[founded|since]",
        "region": "[region|part of]",
        "good": "[known for|speciality|main good]",
        "seat": "[seat|located in]",
    },
    "de": {
        "person": "[Person|Bewohner|Bürger]",
        "town": "Stadt",
        "firm": "Firma",
        "home": "[Wohnort|lebt in|Heimat]",
        "profession": "[Beruf|Gewerbe|Tätigkeit]",
        "born": "[geboren|Geburtsjahr]",
        "friend": "[Freundschaft|vertraut mit]",
        "employer": "[Arbeitgeber|arbeitet für]",
        "animal": "[Tier|Haustier]",
        "door_code": "[Türcode|Geheimcode] (vertraulich)",
        "founded": "[gegründet|seit]",
        "region": "[Gegend|Teil von]",
        "good": "[bekannt für|Spezialität|Hauptware]",
        "seat": "[Sitz|ansässig in]",
    },
    "fr": {
        "person": "[personne|habitant|nom]",
        "town": "ville",
        "firm": "maison",
        "home": "[domicile|vit à|résidence]",
        "profession": "[métier|profession|emploi]",
        "born": "[naissance|année de naissance]",
        "friend": "[amitié|proche]",
        "employer": "[employeur|travaille pour]",
        "animal": "[animal|compagnon]",
        "door_code": "[code de porte|code secret] (confidentiel)",
        "founded": "[fondation|depuis]",
        "region": "[région|partie de]",
        "good": "[réputation|spécialité|produit]",
        "seat": "[siège|située à]",
    },
    "es": {
        "person": "[persona|habitante|nombre]",
        "town": "ciudad",
        "firm": "firma",
        "home": "[domicilio|vive en|residencia]",
        "profession": "[oficio|profesión|ocupación]",
        "born": "[nacimiento|año de nacimiento]",
        "friend": "[amistad|cercano]",
        "employer": "[empleador|trabaja para]",
        "animal": "[animal|mascota]",
        "door_code": "[código de puerta|código secreto] (confidencial)",
        "founded": "[fundación|desde]",
        "region": "[región|parte de]",
        "good": "[fama|especialidad|producto]",
        "seat": "[sede|situada en]",
    },
}
DOOR_CODE_SHARE = 0.3


class Layout(NamedTuple):
    """How a record is set: around it, and between key and value and one field and the next."""

    start: str
    assign: str
    separator: str
    end: str


LAYOUTS = (
    Layout("", ": ", "\n", ""),
    Layout("[", " = ", "; ", "]"),
    Layout("| ", " | ", " |\n| ", " |"),
    Layout("{", ": ", ", ", "}"),
    Layout("* ", " -> ", "\n* ", "."),
)


def build(speech: Speech) -> Node:
    layouts = [
        Option(_record(speech, layout), 1.0, held_out=index == len(LAYOUTS) - 1) for index, layout in enumerate(LAYOUTS)
    ]
    return Choice(layouts)


def _record(speech: Speech, layout: Layout) -> Node:
    subjects = Choice(
        [
            Option(_person(speech, layout), 0.7),
            Option(_town(speech, layout), 0.2),
            Option(_firm(speech, layout), 0.1),
        ]
    )
    return Sequenced([Text(layout.start), subjects, Text(layout.end)])


def _person(speech: Speech, layout: Layout) -> Node:
    def told(attribute: str) -> Node:
        return speech.told(attribute)

    fields = [
        Option(_field(speech, layout, attribute, told(attribute)), speech.tellable(attribute))
        for attribute in TOLD_OF_PEOPLE
    ]
    code = Marked("record.confidential", _field(speech, layout, "door_code", speech.told("door_code")))
    ending = Choice(
        [
            Option(Text(""), 1 - DOOR_CODE_SHARE),
            Option(Sequenced([Text(layout.separator), code]), DOOR_CODE_SHARE),
        ]
    )
    head = _field(speech, layout, "person", speech.person("person"))
    return Sequenced([head, Text(layout.separator), some(fields, 3, 6, layout.separator), ending])


def _town(speech: Speech, layout: Layout) -> Node:
    head = _field(speech, layout, "town", speech.town("town"))
    fields = [_field(speech, layout, attribute, speech.told_of_town(attribute)) for attribute in TOLD_OF_TOWNS]
    return _listed(head, fields, layout)


def _firm(speech: Speech, layout: Layout) -> Node:
    head = _field(speech, layout, "firm", speech.firm("firm"))
    fields = [
        _field(speech, layout, "seat", speech.told_of_firm("town")),
        _field(speech, layout, "good", speech.told_of_firm("good")),
    ]
    return _listed(head, fields, layout)


def _listed(head: Node, fields: Sequence[Node], layout: Layout) -> Node:
    return Sequenced([head, Text(layout.separator), some(fields, 2, len(fields), layout.separator)])


def _field(speech: Speech, layout: Layout, key: str, value: Node) -> Node:
    return Sequenced([template(KEYS[speech.language][key], {}), Text(layout.assign), value])
