"""Names of people, places and organisations. The second list of every pair never occurs in a task's training rows."""

FIRST_NAMES = (
    "Anna Tom Vera Paul Clara Omar Nina Felix Laura Jonas Maria Victor Helen Bruno Emma Oscar Sofia Martin Alice Henry "
    "Lena David Ruth Simon Eva Peter Julia Robert Ines Frank Hannah Leo Nora Carl Olga Ian Tessa Hugo Mina Edgar".split(),
    "Greta Boris Ingrid Samuel Wanda Dmitri Leila Kasper Yvonne Milo Agnes Tobias Farah Jerome Selma Rafael Odile "
    "Gustav Priya Lorenz Beatrix Anton Miriam Cyril Petra Fabian Zora Emil".split(),
)
SURNAMES = (
    "Bell Reed Lund Weber Ortiz Novak Keller Brandt Moreau Hayes Silva Fischer Olsen Price Kowalski Marsh Romero Vogel "
    "Tanaka Walsh Becker Dunn Haas Nilsson Costa Parker Schmidt Rossi Lang Carter Petrov Kaya Hughes Bauer Doyle "
    "Jensen Fuchs Cole Winter Baker".split(),
    "Quinn Steiner Hadley Ivanov Garber Mendes Thorne Krause Okafor Lindqvist Barros Ashby Zimmer Dupont Farrow "
    "Halloran Szabo Pohl Redmond Vance Castell Ekman Tull Yilmaz Navarro Wirth Osborne Grimm".split(),
)
PLACES = (
    "Lisbon Oslo Berlin Porto Madrid Vienna Dublin Prague Athens Warsaw Geneva Hamburg Bergen Turin Seville Leeds "
    "Bristol Munich Zurich Krakow Helsinki Naples Dresden Utrecht Bilbao Lyon Cork Malmo Graz Bremen Norway Portugal "
    "Austria Ireland Bavaria".split(),
    "Budapest Glasgow Valencia Rotterdam Cologne Tallinn Palermo Antwerp Salzburg Aarhus Ghent Leipzig Genoa Sofia "
    "Basel Nantes Bologna Cardiff Trieste Riga Denmark Slovenia Tyrol Galicia Saxony".split(),
)
PLACES = (PLACES[0], [place for place in PLACES[1] if place not in FIRST_NAMES[0]])
# First words of names of firms, used alone or with one of ENDINGS.
FIRMS = (
    "Nordwell Brightline Kestrel Halvor Delphi Arcona Silverton Maxwell Orbis Tidewater Lumina Granite Falcon Verity "
    "Solaris Redwood Pinnacle Castor Meridian Atlas Juniper Corvus Bluefin Sterling Mercado".split(),
    "Zephyr Ironbridge Calypso Vantage Helix Oakmont Polaris Trident Aurelia Fairfax Cobalt Northgate Sirocco Wexley "
    "Larkfield Quantica Ember".split(),
)
ENDINGS = "Bank Motors Foods Airlines Press Energy Group Systems Pharma Insurance".split()
INSTITUTIONS = "University|Bank|Museum|Institute|Academy|Chamber of Commerce|College|Court".split("|")

# First names that are also names of towns; the context decides.
PERSON_OR_PLACE = (
    "Florence Sydney Austin Chester Lincoln Jordan Victoria Charlotte Houston Wellington Paris Georgia".split()
)
# Names that are ordinary words at the start of a sentence, each with a word that follows it there.
NAME_OR_WORD = {
    "Rose": "bushes",
    "Grace": "periods",
    "Mark": "sheets",
    "Bill": "payments",
    "Faith": "groups",
    "Summer": "holidays",
    "Heather": "honey",
    "Frost": "damage",
    "Cook": "books",
    "Hill": "farms",
    "Stone": "walls",
    "Wood": "fires",
}
