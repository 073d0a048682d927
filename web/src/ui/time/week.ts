/** Days as ISO 8601 counts them: Monday is 1, Sunday is 7. */
export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONDAY = 1;

/** Regions whose week begins on another day than Monday, after the CLDR, for browsers that do not tell. */
const BEGINS: Record<string, string> = {
  "5": "MV",
  "6": "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
  "7":
    "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK " +
    "PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW",
};

interface WithWeekInfo {
  getWeekInfo?: () => { firstDay: number };
  weekInfo?: { firstDay: number };
}

/** The day with which the week begins where somebody lives: 1 for Monday to 7 for Sunday. */
export function firstDayOfWeek(language: string): number {
  try {
    const locale = new Intl.Locale(language);
    const { firstDay } = (locale as WithWeekInfo).getWeekInfo?.() ?? (locale as WithWeekInfo).weekInfo ?? {};
    return firstDay ?? firstDayOfRegion(locale.maximize().region);
  } catch {
    return MONDAY;
  }
}

export function firstDayOfRegion(region: string | undefined): number {
  const found = Object.entries(BEGINS).find(([, regions]) => region && regions.split(" ").includes(region));
  return found ? Number(found[0]) : MONDAY;
}
