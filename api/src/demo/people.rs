//! The clinic's people and their devices.

/// A person's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Nurse,
    Physician,
    Receptionist,
    Pharmacist,
    Lab,
    Admin,
}

impl Job {
    pub fn role(self) -> &'static str {
        match self {
            Self::Nurse => "Nurse",
            Self::Physician => "Physician",
            Self::Receptionist => "Receptionist",
            Self::Pharmacist => "Pharmacist",
            Self::Lab => "Lab",
            Self::Admin => "Admin",
        }
    }

    /// When a session may begin, as weights of the day's hours in the clinic's zone.
    pub fn hours(self) -> [f64; 24] {
        let (open, close, night) = match self {
            Self::Nurse => (6, 22, 0.12),
            Self::Physician => (8, 18, 0.03),
            Self::Receptionist => (7, 18, 0.0),
            Self::Pharmacist => (9, 20, 0.0),
            Self::Lab => (6, 17, 0.02),
            Self::Admin => (9, 18, 0.01),
        };
        std::array::from_fn(|hour| {
            if (open..close).contains(&hour) {
                // Busiest before noon, a dip at lunch, a second wave after it.
                match hour {
                    9..=11 => 1.5,
                    13 => 0.6,
                    14..=16 => 1.2,
                    _ => 0.8,
                }
            } else {
                night
            }
        })
    }
}

#[derive(Debug)]
pub struct Person {
    pub id: &'static str,
    pub name: &'static str,
    pub login: &'static str,
    pub job: Job,
    /// A second role to switch to.
    pub second: Option<Job>,
    /// The day of the story on which they join; 0 if they were there before.
    pub joins: i64,
}

macro_rules! people {
    (@second) => { None };
    (@second $second:ident) => { Some(Job::$second) };
    ($($id:literal $name:literal $login:literal $job:ident $(or $second:ident)? $(from day $joins:literal)?;)*) => {
        &[$(Person {
            id: $id,
            name: $name,
            login: concat!($login, "@riverside.test"),
            job: Job::$job,
            second: people!(@second $($second)?),
            joins: 0$( + $joins)?,
        }),*]
    };
}

/// In order of how much they do: the first of them far more than the last.
pub const PEOPLE: &[Person] = people! {
    "11" "Asha Rao" "asha.rao" Nurse or Admin;
    "12" "Deepak Iyer" "deepak.iyer" Receptionist;
    "13" "José Núñez" "jose.nunez" Physician;
    "14" "李雷" "lei.li" Lab;
    "15" "Grace Achieng Otieno" "grace.otieno" Nurse;
    "16" "O'Brien \"Jo\"" "jo.obrien" Receptionist;
    "17" "Zoë van der Meer" "zoe.vandermeer" Physician;
    "18" "Meera Pillai" "meera.pillai" Nurse;
    "19" "Farid Ünal" "farid.unal" Pharmacist;
    "20" "Nguyễn Thị Hạnh" "hanh.nguyen" Nurse;
    "21" "Esha Khan" "esha.khan" Receptionist or Admin;
    "22" "Ravi, K." "ravi.k" Lab;
    "23" "Олена Шевченко" "olena.shevchenko" Physician;
    "24" "Chidi Okonkwo" "chidi.okonkwo" Nurse;
    "25" "佐藤 花子" "hanako.sato" Physician or Admin;
    "26" "Bela Horváth" "bela.horvath" Receptionist;
    "27" "فاطمة الزهراء" "fatima.zahra" Nurse;
    "28" "Søren Ørsted" "soren.orsted" Lab;
    "29" "Priya Raghunathan" "priya.r" Nurse;
    "30" "Thabo Mokoena" "thabo.mokoena" Pharmacist;
    "31" "Chitra Devi" "chitra.devi" Nurse or Receptionist;
    "32" "Łukasz Wójcik" "lukasz.wojcik" Physician;
    "33" "Kavita Deshpande" "kavita.deshpande" Receptionist;
    "34" "김민준" "minjun.kim" Lab or Nurse;
    "35" "Aoife Ní Bhriain" "aoife.nibhriain" Nurse;
    "36" "Mateus Conceição" "mateus.conceicao" Physician;
    "37" "Ingrid Müller-Weiß" "ingrid.mueller" Admin;
    "38" "Tariq Al-Fayed" "tariq.alfayed" Pharmacist;
    "39" "Sunita Kumari" "sunita.kumari" Nurse;
    "40" "Ιωάννα Παπαδοπούλου" "ioanna.p" Physician;
    "41" "Kwame Mensah" "kwame.mensah" Receptionist;
    "42" "Anjali D'Souza" "anjali.dsouza" Nurse;
    "43" "Björk Guðmundsdóttir" "bjork.g" Lab;
    "44" "Harpreet Singh" "harpreet.singh" Physician from day 18;
    "45" "דוד כהן" "david.cohen" Pharmacist;
    "46" "Lakshmi Venkataraman" "lakshmi.v" Admin;
    "47" "Nomvula Dlamini" "nomvula.dlamini" Nurse from day 31;
    "48" "Arjun Mehta" "arjun.mehta" Receptionist from day 44;
    "49" "สมชาย ใจดี" "somchai.jaidee" Nurse from day 57;
    "50" "Renée L'Écuyer" "renee.lecuyer" Admin from day 70;
};

/// A person's share of the day's work, by their place in [`PEOPLE`]: Zipf's law, softened.
pub fn share(place: usize) -> f64 {
    1.0 / (place as f64 + 2.0).powf(0.75)
}

pub const DESK: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
];

pub const MOBILE: &[&str] = &[
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "okhttp/4.12.0",
];

/// The attacker's user agent.
pub const SCRIPT: &str = "python-requests/2.32.3";
pub const ATTACKER: &str = "192.0.2.66";

/// User names that the attacker tries and nobody has.
pub const GUESSED: &[&str] = &[
    "admin",
    "administrator",
    "root",
    "test",
    "doctor",
    "reception",
    "backup",
    "support",
    "frontdesk",
    "lab",
];
