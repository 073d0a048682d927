//! What the events are made of: names, words, models and their fields, roles, actions, errors.
//!
//! The file is long, since it is mostly lists.

use std::sync::LazyLock;

fn split(list: &'static str) -> Vec<&'static str> {
    list.split_whitespace().collect()
}

pub(crate) static GIVEN: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split(
        "Asha Deepak José Grace Zoë Meera Farid Hạnh Esha Ravi Олена Chidi Bela فاطمة Søren Priya Thabo Chitra Łukasz
        Kavita Aoife Mateus Ingrid Tariq Sunita Ιωάννα Kwame Anjali Björk Harpreet דוד Lakshmi Nomvula Arjun Renée
        Aarav Ananya Ibrahim Sofía Noor Mateo Yuki Oluwaseun Zainab Émile Freya Rohan Siobhán Wei Amara Lars Divya
        Kofi Hélène Ramesh Tomás Nadia Hiroshi Leïla Vikram Ngozi Anika Paweł Samuel Geeta Dmitri Abdul Clara Suresh
        Iman Oskar Wilhelmina Quentin Xiomara Fatuma Jorge Katarzyna Bartholomew Ursula",
    )
});

pub(crate) static FAMILY: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split(
        "Rao Iyer Núñez Otieno O'Brien Pillai Ünal Nguyễn Khan Шевченко Okonkwo Horváth Ørsted Raghunathan Mokoena
        Devi Wójcik Deshpande Bhriain Conceição Müller-Weiß Al-Fayed Kumari Παπαδοπούλου Mensah D'Souza Guðmundsdóttir
        Singh כהן Venkataraman Dlamini Mehta L'Écuyer Sharma García Okafor Nakamura Patel O'Connor Kowalski Haddad
        Reddy Schäfer Fernandes Chen Abebe Banerjee Lindqvist Mwangi Ivanova Joshi Yılmaz Kaur Silva Menon Dubois
        Tanaka Adeyemi Krishnan Novák Bose Hassan Thapa Whitfield Zimmermann Quiroga Vasquez Fitzgerald Jankowski",
    )
});

/// Names that are not split into first and last name.
pub(crate) const WHOLE_NAMES: &[&str] =
    &["李雷", "韩梅梅", "佐藤 花子", "김민준", "สมชาย ใจดี", "王小明", "鈴木 一郎", "Nguyễn Thị Hạnh"];

/// In order of how often they are used: by Zipf's law.
pub(crate) static VOCABULARY: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split(
        "the and for patient with was not from review after update blood follow call normal report week dose stable
        pain daily test order visit confirmed pending checked records ward nurse doctor family given morning evening
        tablet request approved changed requested insurance claim invoice paid balance payment refund delivery stock
        supplier arrived damaged replaced returned contract signed renewed expired reminder sent received answered
        urgent routine transfer discharge admitted surgery recovery wound dressing infection fever cough throat chest
        breathing oxygen saturation pressure pulse regular irregular heart rhythm murmur abdomen tender swelling ankle
        fracture x-ray ultrasound scan contrast allergy penicillin rash itching vaccine booster schedule interval next
        month appointment cancelled rescheduled late missed waiting list priority high low medium normalised glucose
        insulin diabetes diet exercise weight height smoking alcohol cessation advice leaflet consent form witness
        guardian relative phone address moved corrected spelling duplicate merged archived restored document scanned
        uploaded attachment unreadable page missing letter specialist referral cardiology neurology orthopaedics
        dermatology paediatrics maternity antenatal postnatal newborn screening hearing vision dental physiotherapy
        occupational therapy counselling support group community volunteer transport ambulance wheelchair walking frame
        equipment calibration maintenance engineer serviced battery replaced warranty firmware upgraded sensor faulty
        temperature fridge alarm humidity logged shift handover roster overtime leave sickness training certificate
        expired renewed induction mandatory module completed score feedback survey complaint apology resolved escalated
        manager director audit finding corrective action deadline extended budget approved rejected purchase quote
        tender catering laundry cleaning waste collection security badge visitor parking permit building floor corridor
        lift broken plumber electrician painter repaired inspected certificate hygiene rating kitchen menu vegetarian
        halal kosher gluten lactose pharmacy dispensed stockout substitute generic brand tablet capsule syrup inhaler
        injection ointment drops paracetamol ibuprofen amoxicillin metformin amlodipine omeprazole salbutamol cetirizine
        atorvastatin levothyroxine warfarin heparin morphine ondansetron prednisolone furosemide bisoprolol ramipril
        sertraline gabapentin doxycycline clarithromycin ferrous folic zinc magnesium potassium sodium chloride albumin
        bilirubin creatinine haemoglobin platelet leukocyte lymphocyte neutrophil culture sensitivity resistant isolate
        quarantine exposure contact tracing outbreak notified laboratory specimen haemolysed clotted insufficient
        relabelled courier tracking biopsy histology margin benign malignant staging oncology chemotherapy radiotherapy
        palliative hospice bereavement chaplain interpreter translation Gujarati Swahili Polish Mandarin braille
        subtitles accessibility ramp handrail bariatric isolation negative airflow filter zygomatic xerostomia
        quadriceps jaundice kyphosis vertigo tachycardia bradycardia",
    )
});

/// Sentences of other scripts.
pub(crate) const FOREIGN: &[&str] = &[
    "患者主诉头痛三天，无发热",
    "已通知家属明天上午来院",
    "検査結果は正常範囲内です",
    "予約を来週に変更しました",
    "환자가 예약을 취소했습니다",
    "Der Patient fühlt sich heute besser, Fäden werden am Montag gezogen",
    "La paciente refiere náuseas después de la medicación",
    "Пациент просит перенести приём на следующую неделю",
    "المريض بحاجة إلى مترجم",
];

pub(crate) static CITIES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split(
        "Pune Bengaluru Kochi Nashik Mysuru Goa Thane Nairobi Kraków Lagos Lisbon Dublin Québec Osaka Izmir Durban Oslo
        Accra Reykjavík Porto",
    )
});

/// The kind of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of a short list.
    Status,
    Category,
    Flag,
    Count,
    Money,
    Time,
    Date,
    Uuid,
    Name,
    Email,
    Phone,
    Address,
    Phrase,
    Sentence,
}

pub(crate) const FIELDS: &[(&str, Kind)] = &[
    ("status", Kind::Status),
    ("notes", Kind::Sentence),
    ("priority", Kind::Category),
    ("updated_at", Kind::Time),
    ("assigned_to", Kind::Name),
    ("is_active", Kind::Flag),
    ("external_id", Kind::Uuid),
    ("title", Kind::Phrase),
    ("quantity", Kind::Count),
    ("amount", Kind::Money),
    ("due_date", Kind::Date),
    ("category", Kind::Category),
    ("email", Kind::Email),
    ("phone", Kind::Phone),
    ("address", Kind::Address),
    ("scheduled_at", Kind::Time),
    ("completed_at", Kind::Time),
    ("is_confidential", Kind::Flag),
    ("description", Kind::Sentence),
    ("reason", Kind::Phrase),
    ("approved_by", Kind::Name),
    ("discount", Kind::Money),
    ("start_date", Kind::Date),
    ("end_date", Kind::Date),
    ("review_comment", Kind::Sentence),
    ("batch_number", Kind::Count),
    ("contact_name", Kind::Name),
    ("source_reference", Kind::Uuid),
    ("severity", Kind::Category),
    ("is_billable", Kind::Flag),
    ("department", Kind::Phrase),
    ("duration_minutes", Kind::Count),
];

pub(crate) static STATUSES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split("open in_progress closed draft submitted approved rejected cancelled on_hold archived reopened")
});
pub(crate) static CATEGORIES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split(
        "normal high low urgent critical internal external clinical financial administrative technical legal other",
    )
});

/// In order of how often they change: by Zipf's law.
pub(crate) static MODELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split(
        "patient appointment encounter lab_result prescription invoice task vital_sign message lab_order payment
        stock_item document referral insurance_claim shift care_plan comment employee bed consent immunization allergy
        purchase_order stock_movement equipment ticket attachment training_record supplier visitor survey_response ward
        maintenance_job contract price_list training_course survey room department",
    )
});

/// In order of how often they are held.
pub(crate) static ROLES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    split("Nurse Physician Receptionist Pharmacist Lab Billing Manager Admin Porter Student")
});
/// About one event in 100,000 has one of them.
pub(crate) const RARE_ROLES: &[&str] = &["BreakGlass", "ExternalAuditor"];

pub(crate) static ACTIONS: LazyLock<Vec<&str>> = LazyLock::new(|| split("update create delete view export"));
pub(crate) const ACTION_WEIGHTS: &[f64] = &[0.65, 0.27, 0.04, 0.03, 0.01];
/// About one event in 100,000 has one of them.
pub(crate) const RARE_ACTIONS: &[&str] = &["merge", "restore", "bulk_reassign"];

pub(crate) const LOGIN_FAILURES: &[&str] =
    &["wrong_password", "unknown_user", "account_locked", "otp_expired", "ip_not_allowed"];

pub(crate) const ACCESS_DENIED: &str = "access_denied";
/// Why an event was denied.
pub(crate) const DENIALS: &[&str] =
    &["not_in_care_team", "outside_working_hours", "role_lacks_permission", "consent_withdrawn"];
/// The same for what the platform does.
pub(crate) const FORBIDDEN: &str = "the policy forbids it";

/// Programs that decide by themselves: id and name.
pub(crate) const AGENTS: &[(&str, &str)] = &[
    ("agent-triage", "Triage assistant"),
    ("agent-coding", "Billing code assistant"),
    ("agent-letters", "Letter writer"),
];

/// In order of how often they occur in the metadata.
pub(crate) const REGIONS: &[&str] = &["eu-central", "us-east", "ap-south"];
/// About one event in 100,000 has it.
pub(crate) const RARE_REGION: &str = "sa-west";

/// A changed field whose values are ids, with names beside them; and its own name.
pub(crate) const LABELLED: (&str, &str) = ("owner_id", "Owner");

/// What the platform does, and to what.
pub(crate) const DEEDS: &[(&str, &str)] = &[
    ("task_completed", "task"),
    ("policy_synced", "policy"),
    ("permission_updated", "permission"),
    ("role_updated", "role"),
    ("package_installed", "package"),
    ("app_updated", "app"),
    ("release_applied", "release"),
    ("workflow_published", "workflow"),
    ("migration_applied", "migration"),
    ("integration_synced", "integration"),
    ("schedule_changed", "schedule"),
    ("theme_changed", "theme"),
];
/// The action of a failed task.
pub(crate) const TASK_FAILED: &str = "task_failed";

pub(crate) const ERRORS: &[&str] = &[
    "role Physician does not exist",
    "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='lab.example.org', port=443): Read timed out. (read timeout=30)",
    "psycopg.OperationalError: server closed the connection unexpectedly",
    "smtplib.SMTPServerDisconnected: Connection unexpectedly closed",
    "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    "KeyError: 'policy_number'",
    "package crm 2.4.1 needs core 5.0 or later, found 4.9.2",
    "column \"discharged_at\" of relation \"encounter\" already exists",
];

/// All words above and the browsers' names in lower case, to check whether a text occurs.
pub(crate) fn everything() -> String {
    let lists: [&[&str]; 18] = [
        &GIVEN,
        &FAMILY,
        WHOLE_NAMES,
        &VOCABULARY,
        FOREIGN,
        &CITIES,
        &STATUSES,
        &CATEGORIES,
        &MODELS,
        &ROLES,
        RARE_ROLES,
        &ACTIONS,
        RARE_ACTIONS,
        LOGIN_FAILURES,
        ERRORS,
        DENIALS,
        REGIONS,
        &[
            TASK_FAILED,
            "deployer",
            "service",
            "road",
            ACCESS_DENIED,
            FORBIDDEN,
            RARE_REGION,
            LABELLED.0,
            LABELLED.1,
            "request",
            "region",
        ],
    ];
    let mut all: Vec<String> = lists.into_iter().flatten().map(|text| text.to_lowercase()).collect();
    all.extend(FIELDS.iter().map(|(name, _)| (*name).to_owned()));
    all.extend(DEEDS.iter().flat_map(|(action, kind)| [*action, *kind]).map(str::to_owned));
    all.extend(AGENTS.iter().flat_map(|(id, name)| [id.to_lowercase(), name.to_lowercase()]));
    all.extend(super::world::agents().iter().map(|agent| agent.to_lowercase()));
    all.join("\n")
}
