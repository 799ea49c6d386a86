//! What charts speak of: category labels, quantities, places and series names; own lists beside the vocabulary
//! of tables.

use serde::{Deserialize, Serialize};
use vrrl_harness_core::Rng;

use crate::words::{self, Kind};

/// Where category labels come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// `Jan` to `Dec`; more of them carry a year.
    Months,
    /// `Mon` to `Sun`; more of them carry a week.
    Weekdays,
    /// `Q1 2014` and so on.
    Quarters,
    /// `1987` and so on.
    Years,
    /// `07:00` and so on; more of them stand at half past.
    Hours,
    /// Parts of a company.
    Functions,
    /// Fruits.
    Fruits,
    /// Parts of the world.
    Regions,
    /// Animals (held out of training).
    Animals,
    /// Musical instruments (held out of training).
    Instruments,
    /// Trades (held out of training).
    Trades,
}

impl Domain {
    /// The eight domains of the paper, the default.
    pub(crate) const PAPER: [Self; 8] = [
        Self::Months,
        Self::Weekdays,
        Self::Quarters,
        Self::Years,
        Self::Hours,
        Self::Functions,
        Self::Fruits,
        Self::Regions,
    ];

    /// Whether labels have an order of their own, as a line needs.
    pub(crate) fn ordered(self) -> bool {
        matches!(self, Self::Months | Self::Weekdays | Self::Quarters | Self::Years | Self::Hours)
    }

    /// Whether it is kept for the vocabulary shift.
    pub(crate) fn held_out(self) -> bool {
        matches!(self, Self::Animals | Self::Instruments | Self::Trades)
    }

    /// The word that names the category axis.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Months => "Month",
            Self::Weekdays => "Weekday",
            Self::Quarters => "Quarter",
            Self::Years => "Year",
            Self::Hours => "Hour",
            Self::Functions => "Function",
            Self::Fruits => "Fruit",
            Self::Regions => "Region",
            Self::Animals => "Animal",
            Self::Instruments => "Instrument",
            Self::Trades => "Trade",
        }
    }

    /// How many labels a chart can start with.
    pub(crate) fn capacity(self) -> usize {
        match self {
            Self::Months => 12,
            Self::Weekdays => 7,
            Self::Quarters | Self::Years | Self::Hours => 24,
            _ => self.list().len(),
        }
    }

    /// All labels there are, in their order where they have one.
    fn universe(self) -> Vec<String> {
        const YEARS: std::ops::Range<u32> = 1960..2026;
        match self {
            Self::Months => {
                let year = |suffix: &str| MONTHS.map(|month| format!("{month}{suffix}"));
                ["", " '24", " '25", " '26"].into_iter().flat_map(year).collect()
            }
            Self::Weekdays => {
                let week = |suffix: &str| WEEKDAYS.map(|day| format!("{day}{suffix}"));
                ["", " W2", " W3", " W4", " W5", " W6", " W7"].into_iter().flat_map(week).collect()
            }
            Self::Quarters => {
                (2008..2026).flat_map(|year| (1..=4).map(move |q| format!("Q{q} {year}"))).collect()
            }
            Self::Years => YEARS.map(|year| year.to_string()).collect(),
            Self::Hours => (0..24).flat_map(|h| ["00", "30"].map(|half| format!("{h:02}:{half}"))).collect(),
            _ => self.list().iter().map(|&word| word.into()).collect(),
        }
    }

    fn list(self) -> &'static [&'static str] {
        match self {
            Self::Functions => &FUNCTIONS,
            Self::Fruits => &FRUITS,
            Self::Regions => &REGIONS,
            Self::Animals => &ANIMALS,
            Self::Instruments => &INSTRUMENTS,
            Self::Trades => &TRADES,
            _ => &[],
        }
    }

    /// `count` labels, and `extra` more drawn by `more`: a run in natural order with the additions sorted
    /// in, or a shuffled choice with the additions at the end. Second: where each base label stands now.
    pub(crate) fn draw(
        self,
        count: usize,
        rng: &mut Rng,
        extra: usize,
        more: &mut Rng,
    ) -> (Vec<String>, Vec<usize>) {
        let universe = self.universe();
        // Months and weekdays begin their year or week; hours go by whole ones.
        let step = if self == Self::Hours { 2 } else { 1 };
        let mut chosen: Vec<usize> = if self.ordered() {
            let all = match self {
                Self::Months => 12,
                Self::Weekdays => 7,
                _ => universe.len(),
            };
            let first = rng.index((all - count * step) / step + 1) * step;
            (0..count).map(|i| first + i * step).collect()
        } else {
            let mut order: Vec<usize> = (0..universe.len()).collect();
            rng.shuffle(&mut order);
            order.truncate(count);
            order
        };
        let base = chosen.clone();
        let mut rest: Vec<usize> = (0..universe.len()).filter(|i| !base.contains(i)).collect();
        more.shuffle(&mut rest);
        chosen.extend(rest.into_iter().take(extra));
        if self.ordered() {
            chosen.sort_unstable();
        }
        let place = |label: &usize| chosen.iter().position(|i| i == label).expect("base labels stay");
        let places = base.iter().map(place).collect();
        (chosen.iter().map(|&i| universe[i].clone()).collect(), places)
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const FUNCTIONS: [&str; 48] = [
    "Accounting",
    "Advertising",
    "Analytics",
    "Archives",
    "Assembly",
    "Audit",
    "Billing",
    "Branding",
    "Catering",
    "Compliance",
    "Controlling",
    "Customs",
    "Design",
    "Dispatch",
    "Engineering",
    "Events",
    "Facilities",
    "Finance",
    "Fleet",
    "Hiring",
    "Insurance",
    "Inventory",
    "Legal",
    "Licensing",
    "Logistics",
    "Maintenance",
    "Marketing",
    "Operations",
    "Packaging",
    "Patents",
    "Payroll",
    "Planning",
    "Press",
    "Pricing",
    "Procurement",
    "Production",
    "Quality",
    "Research",
    "Returns",
    "Risk",
    "Safety",
    "Sales",
    "Security",
    "Strategy",
    "Support",
    "Training",
    "Treasury",
    "Warehouse",
];
const FRUITS: [&str; 48] = [
    "Apple",
    "Apricot",
    "Avocado",
    "Banana",
    "Bilberry",
    "Blackberry",
    "Cherry",
    "Clementine",
    "Coconut",
    "Cranberry",
    "Currant",
    "Date",
    "Elderberry",
    "Fig",
    "Gooseberry",
    "Grape",
    "Grapefruit",
    "Guava",
    "Kiwi",
    "Kumquat",
    "Lemon",
    "Lime",
    "Lychee",
    "Mango",
    "Medlar",
    "Melon",
    "Mirabelle",
    "Mulberry",
    "Nectarine",
    "Olive",
    "Orange",
    "Papaya",
    "Passionfruit",
    "Peach",
    "Pear",
    "Persimmon",
    "Pineapple",
    "Plum",
    "Pomegranate",
    "Pomelo",
    "Quince",
    "Raspberry",
    "Redcurrant",
    "Rhubarb",
    "Sloe",
    "Starfruit",
    "Strawberry",
    "Tangerine",
];
const REGIONS: [&str; 48] = [
    "Alps",
    "Amazonia",
    "Anatolia",
    "Andes",
    "Appalachia",
    "Arctic",
    "Atacama",
    "Balkans",
    "Baltics",
    "Bavaria",
    "Benelux",
    "Bohemia",
    "Brittany",
    "Caribbean",
    "Catalonia",
    "Caucasus",
    "Crete",
    "Dalmatia",
    "Flanders",
    "Galicia",
    "Gobi",
    "Great Plains",
    "Iberia",
    "Jutland",
    "Karelia",
    "Lapland",
    "Levant",
    "Lombardy",
    "Maghreb",
    "Manchuria",
    "Melanesia",
    "Midwest",
    "Nordics",
    "Normandy",
    "Pampas",
    "Patagonia",
    "Polynesia",
    "Punjab",
    "Sahara",
    "Sahel",
    "Saxony",
    "Scotland",
    "Siberia",
    "Silesia",
    "Sumatra",
    "Tuscany",
    "Tyrol",
    "Yucatan",
];
const ANIMALS: [&str; 48] = [
    "Antelope", "Badger", "Bat", "Bear", "Beaver", "Bison", "Camel", "Cat", "Cheetah", "Crane", "Crow",
    "Deer", "Dolphin", "Eagle", "Elephant", "Falcon", "Ferret", "Fox", "Frog", "Gazelle", "Giraffe", "Goat",
    "Hare", "Hedgehog", "Heron", "Horse", "Hyena", "Ibex", "Jackal", "Koala", "Lemur", "Leopard", "Lion",
    "Lynx", "Mole", "Moose", "Otter", "Owl", "Panda", "Penguin", "Puma", "Rabbit", "Seal", "Squirrel",
    "Stork", "Tiger", "Wolf", "Zebra",
];
const INSTRUMENTS: [&str; 48] = [
    "Accordion",
    "Alphorn",
    "Balalaika",
    "Banjo",
    "Bassoon",
    "Bongo",
    "Bugle",
    "Celesta",
    "Cello",
    "Clarinet",
    "Cornet",
    "Cymbals",
    "Double bass",
    "Drum",
    "Dulcimer",
    "Fiddle",
    "Flute",
    "Gong",
    "Guitar",
    "Harmonica",
    "Harp",
    "Harpsichord",
    "Horn",
    "Kazoo",
    "Lute",
    "Lyre",
    "Mandolin",
    "Maracas",
    "Marimba",
    "Oboe",
    "Ocarina",
    "Organ",
    "Pan flute",
    "Piano",
    "Piccolo",
    "Recorder",
    "Saxophone",
    "Sitar",
    "Spinet",
    "Tambourine",
    "Timpani",
    "Triangle",
    "Trombone",
    "Trumpet",
    "Tuba",
    "Ukulele",
    "Viola",
    "Zither",
];
const TRADES: [&str; 48] = [
    "Baker",
    "Barber",
    "Beekeeper",
    "Blacksmith",
    "Bookbinder",
    "Brewer",
    "Bricklayer",
    "Butcher",
    "Carpenter",
    "Chandler",
    "Cobbler",
    "Cooper",
    "Draper",
    "Dyer",
    "Engraver",
    "Farmer",
    "Fisher",
    "Florist",
    "Forester",
    "Gardener",
    "Glazier",
    "Goldsmith",
    "Hatter",
    "Joiner",
    "Locksmith",
    "Mason",
    "Miller",
    "Miner",
    "Optician",
    "Painter",
    "Plasterer",
    "Plumber",
    "Potter",
    "Printer",
    "Roofer",
    "Saddler",
    "Sailor",
    "Sawyer",
    "Shepherd",
    "Smith",
    "Tailor",
    "Tanner",
    "Thatcher",
    "Tiler",
    "Turner",
    "Vintner",
    "Weaver",
    "Welder",
];

/// What category charts count, and in which unit.
const COUNTED: [(&str, &str); 40] = [
    ("Revenue", "million"),
    ("Orders", "thousand"),
    ("Visitors", "thousand"),
    ("Exports", "kt"),
    ("Imports", "kt"),
    ("Energy use", "GWh"),
    ("Water use", "ML"),
    ("Turnover", "%"),
    ("Growth index", "points"),
    ("Market share", "%"),
    ("Satisfaction", "%"),
    ("Attendance", "%"),
    ("Output", "units"),
    ("Complaints", "cases"),
    ("Returns", "cases"),
    ("Downtime", "hours"),
    ("Delay", "minutes"),
    ("Response time", "ms"),
    ("Budget", "million"),
    ("Costs", "thousand"),
    ("Savings", "thousand"),
    ("Deliveries", "hundred"),
    ("Tickets", "hundred"),
    ("Bookings", "hundred"),
    ("Capacity", "%"),
    ("Load", "%"),
    ("Yield", "t/ha"),
    ("Harvest", "kt"),
    ("Stock", "pallets"),
    ("Coverage", "%"),
    ("Emissions", "kt"),
    ("Waste", "t"),
    ("Recycling", "%"),
    ("Headcount", "people"),
    ("Sick leave", "days"),
    ("Projects", "count"),
    ("Patents", "count"),
    ("Downloads", "thousand"),
    ("Traffic", "GB"),
    ("Score", "points"),
];

/// Where and for whom.
const SCOPES: [&str; 48] = [
    "Branch A",
    "Branch B",
    "Branch C",
    "Campus East",
    "Campus West",
    "Central Depot",
    "City Council",
    "Coast Line",
    "Delta Works",
    "District 4",
    "District 7",
    "District 9",
    "Fair Trade Group",
    "Field Survey",
    "First Half",
    "Fleet North",
    "Fleet South",
    "Harbour",
    "Head Office",
    "Highland Co-op",
    "Holding",
    "Lake Park",
    "Line 1",
    "Line 2",
    "Line 3",
    "Main Store",
    "Mill Road",
    "New Town",
    "Night Shift",
    "North Plant",
    "Old Town",
    "Online Shop",
    "Panel 2",
    "Panel 5",
    "Pilot Site",
    "Plant 12",
    "Plant 8",
    "Retail Unit",
    "River Basin",
    "Second Half",
    "Site 21",
    "Site 30",
    "South Plant",
    "Station 6",
    "Terminal 2",
    "Terminal 5",
    "Trial Group",
    "Valley Farm",
];

/// Names of series, one set a chart.
const SERIES: [[&str; 8]; 10] = [
    ["North", "South", "East", "West", "Centre", "Coast", "Inland", "Islands"],
    ["Plan", "Actual", "Forecast", "Budget", "Target", "Limit", "Average", "Median"],
    ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta"],
    ["Model A", "Model B", "Model C", "Model D", "Model E", "Model F", "Model G", "Model H"],
    ["Team 1", "Team 2", "Team 3", "Team 4", "Team 5", "Team 6", "Team 7", "Team 8"],
    ["Retail", "Export", "Online", "Wholesale", "Leasing", "Service", "Repair", "Rental"],
    ["Coal", "Gas", "Wind", "Solar", "Hydro", "Nuclear", "Biomass", "Peat"],
    ["Rail", "Road", "Air", "Sea", "Canal", "Pipeline", "Tram", "Ferry"],
    ["Wheat", "Rye", "Barley", "Oats", "Maize", "Rice", "Millet", "Spelt"],
    ["Basic", "Plus", "Pro", "Team", "Student", "Trial", "Family", "Premium"],
];

/// Quantities of scatter plots.
const MEASURED: [&str; 40] = [
    "Age",
    "Altitude",
    "Area",
    "Brightness",
    "Capacity",
    "Charge",
    "Concentration",
    "Current",
    "Delay",
    "Demand",
    "Density",
    "Depth",
    "Diameter",
    "Distance",
    "Dose",
    "Drift",
    "Energy",
    "Error",
    "Flow",
    "Force",
    "Frequency",
    "Gain",
    "Growth",
    "Height",
    "Humidity",
    "Income",
    "Latency",
    "Length",
    "Level",
    "Load",
    "Mass",
    "Offset",
    "Phase",
    "Power",
    "Pressure",
    "Price",
    "Salinity",
    "Speed",
    "Temperature",
    "Voltage",
];

/// Title, name of the value axis, and name of the category axis.
pub(crate) struct Heading {
    pub title: String,
    pub along: String,
    /// Unit of the value axis; may be empty.
    pub unit: &'static str,
    pub across: String,
}

/// Words for a chart over categories: half of them count something somewhere, half measure a data set of the
/// vocabulary of tables.
pub(crate) fn counted(domain: Domain, rng: &mut Rng) -> Heading {
    let by = domain.title();
    let field = field(domain.held_out(), rng);
    let (what, unit, scope) = if rng.chance(1, 2) {
        let (what, unit) = *rng.choose(&COUNTED);
        (what, unit, String::from(*rng.choose(&SCOPES)))
    } else {
        let percentages = field.metrics.iter().filter(|metric| metric.kind == Kind::Percent);
        let what = rng.choose(&percentages.collect::<Vec<_>>()).name;
        (what, "%", field.data_set(rng))
    };
    let title = match rng.below(4) {
        0 => format!("{what} by {by}, {scope}"),
        1 => format!("{scope}: {what} per {by}"),
        2 => format!("{what} ({scope})"),
        _ => format!("{what} of {scope} by {by}"),
    };
    Heading { title, along: what.into(), unit, across: by.into() }
}

/// A field of the vocabulary of tables.
fn field(held_out: bool, rng: &mut Rng) -> &'static words::Domain {
    let fields: Vec<_> = words::domains(held_out).collect();
    fields[rng.index(fields.len())]
}

/// Words of a small chart: short labels without headings, and where each base label stands.
pub(crate) fn small(
    count: usize,
    rng: &mut Rng,
    extra: usize,
    more: &mut Rng,
) -> (Heading, Vec<String>, Vec<usize>) {
    let mut names = SHORT.to_vec();
    rng.shuffle(&mut names);
    let mut rest = names.split_off(count);
    more.shuffle(&mut rest);
    names.extend(rest.into_iter().take(extra));
    let heading = Heading { title: String::new(), along: String::new(), unit: "", across: String::new() };
    (heading, names.into_iter().map(Into::into).collect(), (0..count).collect())
}

/// Names of two letters, without those that look like others in a font of three by five pixels.
const SHORT: [&str; 48] = [
    "AB", "AC", "AL", "AN", "AR", "AS", "AT", "BA", "BE", "BI", "BO", "CA", "CE", "CO", "CU", "EL", "EN",
    "ER", "ES", "FA", "FE", "FI", "HA", "HE", "HI", "IF", "IN", "IO", "IT", "JA", "JO", "KA", "KO", "LA",
    "LE", "LU", "NE", "NO", "OF", "ON", "PA", "PE", "RA", "RO", "SA", "SO", "TA", "UP",
];

/// Words for a scatter plot: `across` names the horizontal axis.
pub(crate) fn measured(rng: &mut Rng) -> Heading {
    let across = rng.index(MEASURED.len());
    let along = (across + 1 + rng.index(MEASURED.len() - 1)) % MEASURED.len();
    let (across, along) = (MEASURED[across], MEASURED[along]);
    let scope = *rng.choose(&SCOPES);
    let title = match rng.below(3) {
        0 => format!("{along} against {across}, {scope}"),
        1 => format!("{scope}: {along} and {across}"),
        _ => format!("{along} vs {across} ({scope})"),
    };
    Heading { title, along: along.into(), unit: "", across: across.into() }
}

/// Names of series, a set of this file or models of one field, in an order of their own; a longer list begins
/// like a shorter one.
pub(crate) fn series(count: usize, held_out: bool, rng: &mut Rng) -> Vec<String> {
    let mut names: Vec<String> = rng.choose(&SERIES).map(Into::into).to_vec();
    rng.shuffle(&mut names);
    if rng.chance(1, 2) {
        let field = field(held_out, rng);
        let mut models: Vec<String> = Vec::new();
        // A field has dozens of models; should one name come again and again, the set above ends the list.
        for _ in 0..64 {
            let model = field.model(rng);
            if models.len() < names.len() && !models.contains(&model) {
                models.push(model);
            }
        }
        let missing = models.len()..names.len();
        models.extend_from_slice(&names[missing]);
        names = models;
    }
    names.truncate(count);
    names
}

/// Letters of dots: the capitals first, then small letters that look like none of them.
pub(crate) const LETTERS: usize = CAPITALS.len() + SMALLS.len();
const CAPITALS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SMALLS: &[u8] = b"abdefghjmnqrty";
/// Letters that nobody confuses in a font of three by five pixels.
const PLAIN: &[u8] = b"ABCEFHIJKLNOPRSTUXYZ";

/// `count` letters, and `extra` more drawn by `more`; `plain` ones can be told apart on a small canvas.
pub(crate) fn letters(plain: bool, count: usize, rng: &mut Rng, extra: usize, more: &mut Rng) -> Vec<String> {
    let mut capitals = if plain { PLAIN } else { CAPITALS }.to_vec();
    rng.shuffle(&mut capitals);
    let first = count.min(capitals.len());
    let mut smalls = SMALLS.to_vec();
    if count > first {
        rng.shuffle(&mut smalls);
    }
    let mut rest: Vec<u8> = capitals.split_off(first);
    let mut drawn = capitals;
    drawn.extend(smalls.drain(..count - first));
    more.shuffle(&mut rest);
    more.shuffle(&mut smalls);
    drawn.extend(rest.into_iter().chain(smalls).take(extra));
    drawn.into_iter().map(|letter| char::from(letter).to_string()).collect()
}

/// Captions that say nothing of the answer.
pub(crate) const NOTES: [&str; 8] = [
    "Source: own survey, preliminary figures.",
    "Figures are rounded and may be revised.",
    "Note: methods changed during the period.",
    "Data as reported by the units, unaudited.",
    "See the appendix for definitions.",
    "Provisional; missing reports are estimated.",
    "Compare with the figure of the last report.",
    "All values before seasonal adjustment.",
];

/// Watermarks.
pub(crate) const MARKS: [&str; 6] = ["DRAFT", "SAMPLE", "COPY", "PREVIEW", "INTERNAL", "SPECIMEN"];
