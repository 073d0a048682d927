//! The demo's texts: names of patients, notes, errors.

use super::rng::Rng;

const GIVEN: &[&str] = &[
    "Aarav",
    "Ananya",
    "Ibrahim",
    "Sofía",
    "Noor",
    "Mateo",
    "Yuki",
    "Oluwaseun",
    "Zainab",
    "Émile",
    "Freya",
    "Rohan",
    "Siobhán",
    "Wei",
    "Amara",
    "Lars",
    "Divya",
    "Kofi",
    "Hélène",
    "Ramesh",
    "Tomás",
    "Nadia",
    "Hiroshi",
    "Leïla",
    "Vikram",
    "Ngozi",
    "Anika",
    "Paweł",
    "Samuel",
    "Geeta",
    "Dmitri",
    "Mei-Ling",
    "Abdul",
    "Clara",
    "Suresh",
    "Iman",
];

const FAMILY: &[&str] = &[
    "Sharma",
    "García",
    "Okafor",
    "Nakamura",
    "Patel",
    "Nguyễn",
    "O'Connor",
    "Kowalski",
    "Haddad",
    "Reddy",
    "Schäfer",
    "Fernandes",
    "Chen",
    "Abebe",
    "Banerjee",
    "Lindqvist",
    "Mwangi",
    "D'Souza",
    "Ivanova",
    "Joshi",
    "Yılmaz",
    "Kaur",
    "Silva",
    "Menon",
    "Dubois",
    "Tanaka",
    "Adeyemi",
    "Krishnan",
    "Novák",
    "Bose",
    "Hassan",
    "Thapa",
    "van Dijk",
    "Rao",
];

const STREETS: &[&str] =
    &["MG Road", "Park Street", "Lake View", "Station Road", "Temple Lane", "Hill Road", "4th Cross"];
const CITIES: &[&str] = &["Pune", "Bengaluru", "Kochi", "Nashik", "Mysuru", "Goa", "Thane"];

pub(super) fn person(rng: &mut Rng) -> String {
    match rng.below(400) {
        0 => "O'Brien \"Jo\"".into(),
        1 => "李雷".into(),
        2 => "José Núñez".into(),
        3 => "100% Test_Patient".into(),
        _ => format!("{} {}", rng.pick(GIVEN), rng.pick(FAMILY)),
    }
}

pub(super) fn phone(rng: &mut Rng) -> String {
    format!("+91{}{:08}", rng.pick(&["98", "97", "90", "88", "70"]), rng.below(100_000_000))
}

pub(super) fn address(rng: &mut Rng) -> String {
    format!("{} {}, {}", rng.between(1, 240), rng.pick(STREETS), rng.pick(CITIES))
}

const COMPLAINTS: &[&str] = &[
    "fever and sore throat for three days",
    "pain in the lower back after lifting",
    "follow-up of type 2 diabetes",
    "dry cough, worse at night",
    "headache behind the left eye",
    "rash on both forearms",
    "shortness of breath on stairs",
    "routine antenatal check, week 24",
    "ankle sprain while playing cricket",
    "dizziness on standing up",
];

const FINDINGS: &[&str] = &[
    "SpO2 100% on room air, chest clear.",
    "BP 138/86, pulse 78 and regular.",
    "No focal deficit. Pupils equal and reactive.",
    "Abdomen soft, mild tenderness in the right lower quadrant.",
    "Throat red, no exudate; lymph nodes palpable.",
    "HbA1c 7.4% (was 8.1%); feet checked, sensation intact.",
    "Swelling over the lateral malleolus, able to bear weight.",
    "Temperature 38.4 °C, mildly dehydrated.",
];

const PLANS: &[&str] = &[
    "Paracetamol as needed, plenty of fluids, return if worse.",
    "Continue metformin 500 mg; diet sheet given; review in 3 months.",
    "X-ray to rule out a fracture (form_17b filled in).",
    "Blood count and CRP ordered; call with results.",
    "Refer to physiotherapy, 6 sessions.",
    "Advised to stop smoking; patient will think about it.",
    "Ibuprofen with food for 5 days; ice and rest.",
];

pub(super) fn complaint(rng: &mut Rng) -> &'static str {
    rng.pick(COMPLAINTS)
}

/// From one line to a page.
pub(super) fn note(rng: &mut Rng) -> String {
    let mut note = format!("Presents with {}. {} {}", complaint(rng), rng.pick(FINDINGS), rng.pick(PLANS));
    let more = if rng.chance(0.12) { rng.between(2, 9) } else { 0 };
    for _ in 0..more {
        note += &format!("\n\n{} {} {}", rng.pick(FINDINGS), rng.pick(FINDINGS), rng.pick(PLANS));
    }
    note
}

pub(super) const DRUGS: &[&str] = &[
    "Paracetamol 500 mg",
    "Amoxicillin 250 mg",
    "Metformin 500 mg",
    "Amlodipine 5 mg",
    "Omeprazole 20 mg",
    "Salbutamol inhaler",
    "Cetirizine 10 mg",
    "Ibuprofen 400 mg",
    "Oral rehydration salts",
];

pub(super) const TESTS: &[&str] = &[
    "Complete blood count",
    "HbA1c",
    "Lipid panel",
    "Urine routine",
    "TSH",
    "CRP",
    "Malaria antigen",
    "Creatinine",
];

pub(super) const ALLERGIES: &[&str] =
    &["Penicillin", "Peanuts", "Latex", "Sulfa drugs", "Dust mites", "Shellfish"];

pub(super) const TASKS: &[&str] = &[
    "send_reminders",
    "sync_lab_interface",
    "nightly_backup",
    "close_stale_visits",
    "export_claims",
    "purge_temp_files",
];

const CAUSES: &[(&str, &str)] = &[
    (
        "requests/adapters.py",
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='lab.example.org', port=443): Read timed out. (read timeout=30)",
    ),
    ("psycopg/connection.py", "psycopg.OperationalError: server closed the connection unexpectedly"),
    ("smtplib.py", "smtplib.SMTPServerDisconnected: Connection unexpectedly closed"),
    ("json/decoder.py", "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ("backend/claims/export.py", "KeyError: 'policy_number'"),
];

/// A stack as a task's worker writes it.
pub(super) fn stack(rng: &mut Rng, task: &str) -> String {
    let (file, cause) = CAUSES[rng.below(CAUSES.len())];
    format!(
        "Traceback (most recent call last):\n  File \"zango/core/tasks.py\", line {}, in zango_task_executor\n    \
         return task(*args, **kwargs)\n  File \"workspace/backend/tasks.py\", line {}, in {task}\n    \
         result = client.run(batch)\n  File \"{file}\", line {}, in run\n    raise error\n{cause}",
        rng.between(40, 60),
        rng.between(10, 300),
        rng.between(100, 700),
    )
}
