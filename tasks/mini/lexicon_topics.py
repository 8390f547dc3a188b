"""Nouns of eight topics. The second list of every pair never occurs in the training rows of the topic task."""

TOPICS = {
    "sport": (
        "goal referee striker league match tournament stadium medal sprint penalty goalkeeper champion relay defender".split(),
        "midfielder marathon trophy javelin offside racket hurdle semifinal umpire sprinter dribble fencing".split(),
    ),
    "business": (
        "profit merger shareholder market invoice investor salary export tax factory loan revenue discount supplier".split(),
        "dividend bankruptcy auditor turnover inflation wholesaler mortgage takeover broker tariff retailer payroll".split(),
    ),
    "science": (
        "experiment planet molecule telescope laboratory theory fossil atom galaxy professor microscope enzyme crater gene".split(),
        "neutron comet hypothesis photon meteorite isotope dinosaur nebula chromosome volcano bacterium polymer".split(),
    ),
    "politics": (
        "election parliament minister vote senator treaty law president campaign ambassador reform embassy debate ballot".split(),
        "referendum coalition chancellor veto constituency diplomat manifesto mayor sanction deputy amendment lobbyist".split(),
    ),
    "arts": (
        "painting orchestra sculpture poem gallery violin actor opera exhibition ballet novelist melody canvas choir".split(),
        "sonata playwright fresco soprano mosaic cello rehearsal sonnet watercolour trombone curator overture".split(),
    ),
    "health": (
        "patient vaccine surgeon fever hospital medicine diet allergy clinic symptom headache nurse infection therapy".split(),
        "diagnosis antibiotic cough asthma bandage ointment pharmacist stethoscope migraine rash dentist cholesterol".split(),
    ),
    "travel": (
        "flight luggage passport tourist hotel cruise airport suitcase visa beach itinerary ticket souvenir ferry".split(),
        "hostel backpack stopover sightseeing brochure layover campsite excursion cabin boarding lighthouse harbour".split(),
    ),
    "technology": (
        "software laptop processor password server robot keyboard network browser battery sensor database update screen".split(),
        "firmware modem antenna encryption touchscreen smartphone compiler router spreadsheet webcam debugger pixel".split(),
    ),
}
# Words of two topics; another word has to decide.
AMBIGUOUS = {
    "virus": ("health", "technology"),
    "star": ("science", "arts"),
    "tablet": ("health", "technology"),
    "coach": ("sport", "travel"),
    "operation": ("health", "business"),
    "court": ("sport", "politics"),
    "mouse": ("science", "technology"),
    "strike": ("sport", "business"),
    "race": ("sport", "politics"),
    "party": ("politics", "arts"),
    "score": ("sport", "arts"),
    "model": ("science", "arts"),
    "crash": ("business", "technology"),
    "cell": ("science", "health"),
    "agent": ("business", "travel"),
    "platform": ("travel", "technology"),
}
