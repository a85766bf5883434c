"""Made-up messages of many different buyers: questions and complaints in seven languages, and among them requests to cancel."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

SHORTEST, LONGEST = 60, 200
"""How many characters a text has."""
_SYLLABLES = (
    "ba be bo da di do fa fe ga go gu ha he jo ka ke ko la le li lo ma me mi mo "
    "na ne ni no pa pe ra re ri ro sa se si ta te ti to va ve vi wa za ze"
)


_KNOWN_NAMES = 3_000


class Language(NamedTuple):
    """What is written in one language, on one marketplace. `share` is its weight among the others."""

    share: int
    domain: str
    items: str
    days: str
    hello: str
    asks: tuple[str, ...]
    talks: tuple[str, ...]
    ends: tuple[str, ...]


LANGUAGES = {
    "en": Language(
        40, "amazon.com",
        "kettle,blue rain jacket,bike light,standing desk,phone case,baking tray,set of towels,board game,garden hose,reading lamp",
        "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday",
        "Hello,Hi,Good morning,Dear seller,Dear Sir or Madam",
        (
            "please cancel my order of the {item}, I bought it by mistake.",
            "can you cancel the order before it is sent? My wife had already bought a {item}.",
            "I want to cancel this order because the {item} would only arrive after {day}.",
            "I no longer need the {item}. Please cancel my order.",
            "how do I cancel my order? I chose the wrong address for the {item}.",
        ),
        (
            "could you tell me when the {item} will arrive? The tracking number {code} has not moved since {day}.",
            "the {item} came on {day} but the box was open and a screw is missing. What can you do about it?",
            "I would like to return the {item}, it is too small for us. Who pays the postage to {place}?",
            "is the {item} also sold in green? My neighbour {name} would like to have one by {day}.",
            "please send me an invoice with VAT for the {item}, made out to {name} Ltd in {place}.",
            "I have moved. Please deliver the {item} to {number} {name} Road in {place}.",
            "the {item} stopped working after {number} days. How does the warranty work?",
            "how do I clean the {item}? The manual is in another language and {name} could not help me either.",
            "it says that the parcel {code} was handed over to {name} on {day}, but nobody of that name lives here.",
            "the {item} is very good and came a day early. I have told {name} about your shop.",
        ),
        (
            "Thank you, {name}.",
            "Regards, {name} from {place}.",
            "Thanks in advance and have a nice {day}.",
            "I look forward to your answer, {name}.",
        ),
    ),
    "de": Language(
        20, "amazon.de",
        "Wasserkocher,Regenjacke,Fahrradlampe,Handyhülle,Backform,Leselampe,Spieluhr,Gartenschere,Bettdecke,Schreibtischplatte",
        "Montag,Dienstag,Mittwoch,Donnerstag,Freitag,Samstag",
        "Hallo,Guten Tag,Guten Morgen,Sehr geehrte Damen und Herren,Moin",
        (
            "bitte stornieren Sie meine Bestellung ({item}), ich habe mich vertan.",
            "ich möchte die Bestellung stornieren, weil die {item} erst nach {day} kommt.",
            "können Sie meine Bestellung noch stornieren? Ich habe aus Versehen zweimal bestellt: {item}.",
            "wie kann ich meine Bestellung stornieren? Die Adresse für die {item} ist falsch.",
        ),
        (
            "wann kommt die {item} an? Die Sendungsnummer {code} hat sich seit {day} nicht bewegt.",
            "die {item} kam am {day} an, aber der Karton war offen und eine Schraube fehlt. Was können Sie tun?",
            "bitte schicken Sie mir eine Rechnung mit Mehrwertsteuer für die {item}, auf {name} GmbH in {place}.",
            "gibt es die {item} auch in Grün? Meine Nachbarin {name} hätte gern eine bis {day}.",
            "ich bin umgezogen. Bitte liefern Sie die {item} an {name}straße {number} in {place}.",
            "die {item} ging nach {number} Tagen nicht mehr. Wie läuft das mit der Garantie?",
            "laut Paketdienst wurde {code} am {day} bei {name} abgegeben, hier kennt aber niemand diesen Namen.",
        ),
        (
            "Viele Grüße, {name}",
            "Mit freundlichen Grüßen {name}, {place}",
            "Danke im Voraus und einen schönen {day}!",
            "Ich freue mich auf Ihre Antwort, {name}.",
        ),
    ),
    "fr": Language(
        10, "amazon.fr", "bouilloire,veste de pluie,lampe de vélo,coque de téléphone,lampe de lecture,boîte à musique,couette",
        "lundi,mardi,mercredi,jeudi,vendredi,samedi",
        "Bonjour,Bonsoir,Madame Monsieur,Cher vendeur",
        (
            "merci d'annuler ma commande, j'ai acheté la {item} par erreur.",
            "je souhaite annuler ma commande car la {item} arrive seulement après {day}.",
            "pouvez-vous annuler la commande ? Je n'ai plus besoin de la {item}.",
        ),
        (
            "quand la {item} va-t-elle arriver ? Le numéro de suivi {code} n'a pas changé depuis {day}.",
            "la {item} est arrivée {day} mais le carton était ouvert et il manque une vis. Que pouvez-vous faire ?",
            "je voudrais une facture avec TVA pour la {item}, au nom de {name} SARL à {place}.",
            "la {item} existe-t-elle aussi en vert ? Ma voisine {name} en voudrait une pour {day}.",
            "la {item} ne marche plus après {number} jours. Comment fonctionne la garantie ?",
        ),
        ("Cordialement, {name}.", "Merci d'avance, {name} de {place}.", "Bonne journée, {name}."),
    ),
    "es": Language(
        10, "amazon.es", "tetera,chaqueta,lámpara,funda del móvil,bandeja,manguera,manta",
        "lunes,martes,miércoles,jueves,viernes,sábado",
        "Hola,Buenos días,Buenas tardes,Estimado vendedor",
        (
            "por favor cancelen mi pedido, compré la {item} por error.",
            "quiero cancelar el pedido porque la {item} llega después del {day}.",
            "¿pueden cancelar mi pedido? Ya no necesito la {item}.",
        ),
        (
            "¿cuándo llega la {item}? El número de seguimiento {code} no se mueve desde el {day}.",
            "la {item} llegó el {day} pero la caja estaba abierta y falta un tornillo. ¿Qué pueden hacer?",
            "necesito una factura con IVA de la {item}, a nombre de {name} SL en {place}.",
            "¿tienen la {item} también en verde? Mi vecina {name} quiere una para el {day}.",
            "la {item} dejó de funcionar a los {number} días. ¿Cómo va la garantía?",
        ),
        ("Un saludo, {name}.", "Gracias de antemano, {name} de {place}.", "Que tengan un buen {day}."),
    ),
    "it": Language(
        8, "amazon.it", "teiera,giacca,lampada,custodia,teglia,coperta,bicicletta",
        "lunedì,martedì,mercoledì,giovedì,venerdì,sabato",
        "Buongiorno,Salve,Buonasera,Gentile venditore",
        (
            "vorrei annullare il mio ordine, ho comprato la {item} per errore.",
            "per favore annullate l'ordine, la {item} non mi serve più.",
        ),
        (
            "quando arriva la {item}? Il numero di tracciamento {code} è fermo da {day}.",
            "la {item} è arrivata {day} ma la scatola era aperta e manca una vite. Cosa potete fare?",
            "mi serve una fattura con IVA per la {item}, intestata a {name} SRL di {place}.",
            "la {item} non funziona più dopo {number} giorni. Come funziona la garanzia?",
        ),
        ("Cordiali saluti, {name}.", "Grazie in anticipo, {name} da {place}.", "Buona giornata, {name}."),
    ),
    "nl": Language(
        6, "amazon.nl", "waterkoker,regenjas,fietslamp,telefoonhoes,bakvorm,leeslamp,tuinslang",
        "maandag,dinsdag,woensdag,donderdag,vrijdag,zaterdag",
        "Hallo,Goedemorgen,Goedendag,Beste verkoper",
        (
            "graag mijn bestelling annuleren, ik heb de {item} per ongeluk gekocht.",
            "kunt u mijn bestelling annuleren? Ik heb de {item} niet meer nodig.",
        ),
        (
            "wanneer komt de {item} aan? Het volgnummer {code} staat sinds {day} stil.",
            "de {item} kwam {day} aan, maar de doos was open en er ontbreekt een schroef. Wat kunt u doen?",
            "ik wil graag een factuur met btw voor de {item}, op naam van {name} BV in {place}.",
            "de {item} doet het na {number} dagen niet meer. Hoe zit het met de garantie?",
        ),
        ("Met vriendelijke groet, {name}.", "Alvast bedankt, {name} uit {place}.", "Fijne {day} nog, {name}."),
    ),
    "ja": Language(
        6, "amazon.co.jp", "電気ケトル,レインジャケット,自転車ライト,スマホケース,読書灯,庭用ホース",
        "月曜日,火曜日,水曜日,木曜日,金曜日,土曜日",
        "お世話になっております,こんにちは,はじめまして",
        (
            "間違えて{item}を注文してしまいました。注文をキャンセルしてください。注文日は{day}で、お届け先は{place}です。",
            "{item}が不要になりましたので、注文のキャンセルをお願いします。届くのが{day}より後になるそうです。",
        ),
        (
            "{item}はいつ届きますか。追跡番号{code}が{day}から動いていません。ご確認をお願いいたします。",
            "{day}に{item}が届きましたが、箱が開いていてネジが一本足りません。どうすればよいでしょうか。",
            "{item}の領収書を{name}宛てで発行していただけますか。住所は{place}の{number}番地です。よろしくお願いいたします。",
        ),
        ("{name}", "どうぞよろしくお願いいたします。{name}", "ご連絡をお待ちしております。{place}の{name}より"),
    ),
}  # fmt: skip


class Letter(NamedTuple):
    """One message as a client of msgbot posts it, and whether its buyer asks to cancel."""

    fields: dict[str, Any]
    is_request: bool


def letters(count: int, share: float, seed: int) -> Iterator[Letter]:
    """`count` different messages; the part `share` of them asks to cancel. The same seed gives the same messages."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    codes, weights = list(LANGUAGES), [language.share for language in LANGUAGES.values()]
    for _ in range(count):
        language = LANGUAGES[chance.choices(codes, weights)[0]]
        is_request = chance.random() < share
        text = _text(chance, language, language.asks if is_request else language.talks)
        yield Letter(_fields(chance, language, text), is_request)


def _text(chance: random.Random, language: Language, bodies: tuple[str, ...]) -> str:
    while True:
        parts = [f"{chance.choice(language.hello.split(','))},", chance.choice(bodies)]
        if chance.random() < 0.7:
            parts.append(chance.choice(language.ends))
        text = (
            chance.choice((" ", " ", "\n"))
            .join(parts)
            .format(
                item=chance.choice(language.items.split(",")),
                day=chance.choice(language.days.split(",")),
                name=_name(chance),
                place=_name(chance),
                number=chance.randint(2, 99),
                code=f"{chance.choice(('JD', 'RB', '1Z', 'LX'))}{chance.randrange(10**9, 10**10)}",
            )
        )
        if SHORTEST <= len(text) <= LONGEST:
            return text


def _name(chance: random.Random) -> str:
    """A name or place; one in ten has not come before: what a reader meets for the first time costs it most."""
    known = random.Random(chance.randrange(_KNOWN_NAMES)) if chance.random() < 0.9 else chance  # noqa: S311 - no secret
    return "".join(known.choices(_SYLLABLES.split(), k=known.randint(2, 4))).capitalize()


def _fields(chance: random.Random, language: Language, text: str) -> dict[str, Any]:
    alias = "".join(chance.choices("bcdfghjklmnpqrstvwxyz0123456789", k=14))
    return {
        "id": f"<{chance.getrandbits(128):032x}@email.amazonses.com>",
        "text": text,
        "from": f"{alias}+{chance.getrandbits(48):012x}@marketplace.{language.domain}",
        "order_ids": [f"{chance.randrange(300, 307)}-{chance.randrange(10**7):07d}-{chance.randrange(10**7):07d}"],
        "subject": "",
        "sent_at": f"2026-11-{chance.randint(1, 20):02d}T{chance.randrange(24):02d}:{chance.randrange(60):02d}:00Z",
        "marketplace": language.domain,
    }
