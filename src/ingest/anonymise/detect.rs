//! Detection: where in a text there is personal data, and of which kind.
//!
//! Patterns find candidates; numbering plans, check digits and parsers say which of them are meant. A cheap
//! look at the bytes comes first: most texts have nothing that a pattern could match.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use iban::Iban;
use phonenumber::country;
use regex::{Regex, RegexSet};

use super::national::NATIONAL_IDS;
use crate::config::{Kind, Kinds};

/// Finds of one text, in their order and apart from each other.
pub type Finds = Vec<(Range<usize>, Kind)>;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Detector {
    pub kinds: Kinds,
    /// Countries whose numbers are recognised without their country code.
    pub phone_regions: Vec<country::Id>,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?:"[^"\n]{1,64}"|[^\s@<>()\[\],;:"'/\\=]{1,64})\s?@\s?(?:[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+|\[[0-9a-f:.]+\])|[\w.+-]{1,64}\s?[\[({]\s?at\s?[\])}]\s?[\w-]+(?:\s?(?:[\[({]\s?dot\s?[\])}]|\.)\s?[\w-]+)+"#,
    )
});
static URL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?i)(?:\b[a-z][a-z0-9+.-]{1,20}://[^\s"'<>?#]*|(?:^|[\s"'(])(?:www\.|/)[^\s"'<>?#]*)([?#][^\s"'<>]+)"#)
});
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)",
        r"\b(eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?)",
        r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{8,})",
        r"(?i)\bauthorization\W{1,4}(?:basic\s+)?([A-Za-z0-9._~+/=-]{8,})",
        r"\b((?:sk|pk|rk)[-_](?:[a-z]{2,8}[-_])?[A-Za-z0-9_-]{16,})",
        r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})\b",
        r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}|pypi-[\w-]{16,})",
        r"\b(xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|whsec_[A-Za-z0-9+/=]{16,}|ya29\.[\w-]{16,})",
        r"(?i)\b[a-z][a-z0-9+.-]{1,20}://([^\s/@:]{1,64}:[^\s/@]{1,128})@",
        r#"(?i)\b(?:x-)?(?:api[-_ ]?key|apikey|secret(?:[-_ ]?key)?|access[-_ ]?key|access[-_ ]?token|refresh[-_ ]?token|auth[-_ ]?token|id[-_ ]?token|password|passwort|passwd|pwd|client[-_ ]?secret|private[-_ ]?key)["']?\s*(?:[:=]|\bis\b)\s*["']?([^\s"',;&<>]{4,})"#,
    ]
    .map(pattern)
    .into()
});
/// What a secret has in it.
static SECRET_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = [
        "-----begin",
        "eyj",
        "bearer",
        "authorization",
        "sk-",
        "sk_",
        "pk-",
        "pk_",
        "rk-",
        "rk_",
        "akia",
        "asia",
        "abia",
        "acca",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat",
        "glpat-",
        "npm_",
        "hf_",
        "pypi-",
        "xox",
        "aiza",
        "sg.",
        "whsec_",
        "ya29.",
        "://",
        "key",
        "secret",
        "token",
        "passw",
        "passwd",
        "pwd",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("words")
});
static IBAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,9}"));
static NATIONAL: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(NATIONAL_IDS.iter().map(|form| form.pattern.as_str())).expect("patterns"));
static IPV4: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d{1,3}(?:\.\d{1,3}){3}"));
static IPV6: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}"));
/// Digits with what people write between them.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"[+(]?[+(]?\d(?:[ ().\-/]{0,3}\d){6,30}"));
static DATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d)"));
static NORTH_AMERICAN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}$"));
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:tel|phone|telefoon|call|mobile|mobiel|handy|cell|whatsapp|sms|fax)[^\d+]{0,12}$")
});

impl Detector {
    /// Where there is personal data.
    pub fn finds(&self, text: &str) -> Finds {
        let look = Look::at(text);
        let mut finds = Finds::new();
        if self.kinds.has(Kind::Secret) && look.may_have_secret() && SECRET_WORDS.is_match(text) {
            secrets(text, &mut finds);
        }
        if self.kinds.has(Kind::Query) && look.has(QUERY) {
            for found in URL.captures_iter(text).filter_map(|found| found.get(1)) {
                add(&mut finds, found.range(), Kind::Query);
            }
        }
        if self.kinds.has(Kind::Email) && look.has(AT_OR_BRACKET) {
            EMAIL.find_iter(text).for_each(|found| add(&mut finds, found.range(), Kind::Email));
        }
        if self.kinds.has(Kind::Iban) && look.may_have_iban() {
            ibans(text, &mut finds);
        }
        if self.kinds.has(Kind::NationalId) && look.may_have_national_id() {
            national_ids(text, &mut finds);
        }
        if self.kinds.has(Kind::Ip) && look.digits >= 4 && look.dots >= 3 {
            ipv4_addresses(text, &mut finds);
        }
        if self.kinds.has(Kind::Ip) && look.digits >= 1 && look.colons >= 2 {
            ipv6_addresses(text, &mut finds);
        }
        if look.digits_in_a_row >= 7 && (self.kinds.has(Kind::Card) || self.kinds.has(Kind::Phone)) {
            self.numbers(text, &mut finds);
        }
        finds.sort_unstable_by_key(|(range, _)| range.start);
        finds
    }

    /// Payment cards and telephone numbers.
    fn numbers(&self, text: &str, finds: &mut Finds) {
        for zone in NUMBER.find_iter(text) {
            if touches_a_word(text, zone.range()) {
                continue;
            }
            let words: Vec<Range<usize>> = words(text, zone.range());
            let mut first = 0;
            while first < words.len() {
                let longest = words.len().min(first + 7);
                let found = (first + 1..=longest).rev().find_map(|end| {
                    let range = words[first].start..words[end - 1].end;
                    let range = trimmed(text, range);
                    let kind = self.number_kind(text, range.clone())?;
                    Some((end, range, kind))
                });
                match found {
                    Some((end, range, kind)) => {
                        add(finds, range, kind);
                        first = end;
                    }
                    None => first += 1,
                }
            }
        }
    }

    fn number_kind(&self, text: &str, range: Range<usize>) -> Option<Kind> {
        let candidate = &text[range.clone()];
        let digits: String = candidate.chars().filter(char::is_ascii_digit).collect();
        if self.kinds.has(Kind::Card) && is_card(&digits) && !candidate.contains(['(', '+', '/']) {
            return Some(Kind::Card);
        }
        (self.kinds.has(Kind::Phone) && self.is_phone(text, range, &digits)).then_some(Kind::Phone)
    }

    fn is_phone(&self, text: &str, range: Range<usize>, digits: &str) -> bool {
        let candidate = &text[range.clone()];
        if !(7..=16).contains(&digits.len()) || DATE.is_match(candidate) {
            return false;
        }
        let is_valid = |region: Option<country::Id>, number: &str| {
            phonenumber::parse(region, number).is_ok_and(|number| phonenumber::is_valid(&number))
        };
        if candidate.trim_start_matches('(').starts_with('+') {
            return is_valid(None, candidate.trim_start_matches('('));
        }
        if let Some(international) = digits.strip_prefix("00") {
            return is_valid(None, &format!("+{international}"));
        }
        let is_called =
            CALL.is_match(&text[range.start.saturating_sub(32).max(boundary(text, range.start))..range.start]);
        let is_north_american = NORTH_AMERICAN.is_match(candidate);
        // Digits alone are rather an id, unless they begin as numbers are dialled, or are called one.
        let is_dialled = digits.starts_with('0') && digits.len() >= 9;
        if !(is_called || is_north_american || is_dialled) {
            return false;
        }
        self.phone_regions.iter().any(|region| {
            let is_plain_american = matches!(region, country::Id::US | country::Id::CA);
            (is_dialled != is_plain_american || is_called) && is_valid(Some(*region), candidate)
        })
    }
}

/// What a text has, byte by byte. Most texts are names and ids, and this look is all that they cost; so what a
/// pattern cannot do without is asked of it before the pattern is tried.
#[derive(Debug, Default)]
struct Look {
    /// Classes of bytes that are there.
    seen: u8,
    bytes: usize,
    digits: usize,
    letters: usize,
    dots: usize,
    colons: usize,
    /// The most digits that have no letter between them.
    digits_in_a_row: usize,
}

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const SIGN: u8 = 4;
/// Of addresses of mail; some write `(at)`.
const AT_OR_BRACKET: u8 = 8;
const QUERY: u8 = 16;

/// The classes of each byte.
const CLASSES: [u8; 256] = {
    let mut classes = [SIGN; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'@' | b'(' | b'[' | b'{' => SIGN | AT_OR_BRACKET,
            b'?' | b'#' => SIGN | QUERY,
            _ => SIGN,
        };
        byte += 1;
    }
    classes
};

impl Look {
    fn at(text: &str) -> Self {
        let mut look = Self { bytes: text.len(), ..Self::default() };
        let mut in_a_row = 0;
        for byte in text.bytes() {
            let class = CLASSES[usize::from(byte)];
            let (is_digit, is_letter) = (usize::from(class & DIGIT), usize::from(class & LETTER != 0));
            look.seen |= class;
            look.digits += is_digit;
            look.letters += is_letter;
            look.dots += usize::from(byte == b'.');
            look.colons += usize::from(byte == b':');
            in_a_row = (in_a_row + is_digit) * (1 - is_letter);
            look.digits_in_a_row = look.digits_in_a_row.max(in_a_row);
        }
        look
    }

    fn has(&self, class: u8) -> bool {
        self.seen & class != 0
    }

    /// The shortest secrets are eight bytes long (`pwd=1234`); without a sign, twenty (keys of AWS).
    fn may_have_secret(&self) -> bool {
        self.bytes >= 20 || (self.bytes >= 8 && self.has(SIGN))
    }

    /// The shortest numbers of accounts have fifteen letters and digits.
    fn may_have_iban(&self) -> bool {
        self.digits >= 8 && self.letters >= 2 && self.digits + self.letters >= 15
    }

    /// Six digits or more follow each other, but for the codice fiscale: nine letters and seven digits.
    fn may_have_national_id(&self) -> bool {
        self.digits_in_a_row >= 6 || (self.letters >= 9 && self.digits >= 7)
    }
}

fn add(finds: &mut Finds, range: Range<usize>, kind: Kind) {
    if !range.is_empty() && finds.iter().all(|(known, _)| range.end <= known.start || known.end <= range.start) {
        finds.push((range, kind));
    }
}

fn secrets(text: &str, finds: &mut Finds) {
    for form in SECRETS.iter() {
        for found in form.captures_iter(text) {
            let range = found.get(1).or_else(|| found.get(0)).map_or(0..0, |found| found.range());
            add(finds, range, Kind::Secret);
        }
    }
}

fn ibans(text: &str, finds: &mut Finds) {
    for found in IBAN.find_iter(text) {
        // Words after the number are not a part of it.
        let mut end = found.end();
        while end > found.start() + 14 {
            if text[found.start()..end].to_ascii_uppercase().replace('-', " ").trim().parse::<Iban>().is_ok() {
                add(finds, found.start()..end, Kind::Iban);
                break;
            }
            let Some(shorter) = text[..end].rfind([' ', '-']).filter(|shorter| *shorter > found.start()) else { break };
            end = shorter;
        }
    }
}

fn national_ids(text: &str, finds: &mut Finds) {
    for index in NATIONAL.matches(text) {
        let form = &NATIONAL_IDS[index];
        for found in form.pattern.find_iter(text).filter(|found| (form.is_valid)(found.as_str())) {
            add(finds, found.range(), Kind::NationalId);
        }
    }
}

fn ipv4_addresses(text: &str, finds: &mut Finds) {
    for found in IPV4.find_iter(text) {
        if !touches_a_number(text, found.range()) && found.as_str().parse::<Ipv4Addr>().is_ok() {
            add(finds, found.range(), Kind::Ip);
        }
    }
}

fn ipv6_addresses(text: &str, finds: &mut Finds) {
    for found in IPV6.find_iter(text) {
        let hex = found.as_str().chars().filter(char::is_ascii_hexdigit).count();
        let has_digit = found.as_str().contains(|c: char| c.is_ascii_digit());
        if hex >= 4 && has_digit && !touches_a_word(text, found.range()) && found.as_str().parse::<Ipv6Addr>().is_ok() {
            add(finds, found.range(), Kind::Ip);
        }
    }
}

/// Whether a letter or an underscore stands right before or after.
fn touches_a_word(text: &str, range: Range<usize>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text[..range.start].chars().next_back().is_some_and(is_word)
        || text[range.end..].chars().next().is_some_and(is_word)
}

fn touches_a_number(text: &str, range: Range<usize>) -> bool {
    touches_a_word(text, range.clone())
        || text[..range.start].ends_with('.')
        || (text[range.end..].starts_with('.') && text[range.end + 1..].starts_with(|c: char| c.is_ascii_digit()))
}

/// The parts of a zone of digits between spaces and slashes.
fn words(text: &str, zone: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = zone.start;
    for (index, c) in text[zone.clone()].char_indices() {
        if matches!(c, ' ' | '/') {
            if zone.start + index > begin {
                words.push(begin..zone.start + index);
            }
            begin = zone.start + index + 1;
        }
    }
    if begin < zone.end {
        words.push(begin..zone.end);
    }
    words
}

/// Without signs at the end, and without a bracket that is not closed.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let kept = text[range.clone()].trim_end_matches(|c: char| !c.is_ascii_digit());
    let open = if kept.contains(')') { 0 } else { kept.len() - kept.trim_start_matches('(').len() };
    range.start + open..range.start + kept.len()
}

/// The first boundary of a character from 32 bytes before `end` on.
fn boundary(text: &str, end: usize) -> usize {
    (end.saturating_sub(32)..=end).find(|index| text.is_char_boundary(*index)).unwrap_or(end)
}

/// A number of a payment card: of an issuer, as long as its cards are, with the right check digit.
pub fn is_card(digits: &str) -> bool {
    let prefix = |length: usize| digits.get(..length).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let is_issued = match digits.len() {
        13 | 19 if prefix(1) == 4 => true,
        14 => matches!(prefix(3), 300..=305 | 309) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            prefix(1) == 4
                || matches!(prefix(2), 51..=55 | 62 | 65)
                || matches!(prefix(4), 2221..=2720 | 3528..=3589 | 6011 | 5018 | 5020 | 5038 | 6304 | 6759 | 6761..=6763)
                || matches!(prefix(3), 644..=649)
        }
        17..=19 => matches!(prefix(2), 62 | 65) || prefix(4) == 6011,
        _ => false,
    };
    is_issued && has_check_digit(digits)
}

/// Luhn's check.
fn has_check_digit(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match place % 2 {
                1 if digit > 4 => digit * 2 - 9,
                1 => digit * 2,
                _ => digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Kind)> {
        let phone_regions = ["US", "GB", "NL", "DE", "FR"].iter().map(|region| region.parse().unwrap()).collect();
        let detector = Detector { kinds: Kinds::ALL, phone_regions };
        detector.finds(text).into_iter().map(|(range, kind)| (&text[range], kind)).collect()
    }

    #[test]
    fn each_kind_is_found_where_it_stands() {
        for (text, wanted, kind) in [
            ("mail jane.doe+x@mail.example.co.uk now", "jane.doe+x@mail.example.co.uk", Kind::Email),
            ("zoë@exämple.org", "zoë@exämple.org", Kind::Email),
            ("jane [at] example [dot] com", "jane [at] example [dot] com", Kind::Email),
            ("call +31 6 12345678 please", "+31 6 12345678", Kind::Phone),
            ("(+1 212-555-0123)", "+1 212-555-0123", Kind::Phone),
            ("0031612345678", "0031612345678", Kind::Phone),
            ("mijn nummer is 06-12345678.", "06-12345678", Kind::Phone),
            ("order 12345 06 12 34 56 78", "06 12 34 56 78", Kind::Phone),
            ("(212) 555-0123", "(212) 555-0123", Kind::Phone),
            ("phone: 2125550123", "2125550123", Kind::Phone),
            ("030 123456 ist besetzt", "030 123456", Kind::Phone),
            ("4111 1111 1111 1111 exp 12/30", "4111 1111 1111 1111", Kind::Card),
            ("card 378282246310005", "378282246310005", Kind::Card),
            ("no 12 5555-5555-5555-4444", "5555-5555-5555-4444", Kind::Card),
            ("IBAN NL91 ABNA 0417 1643 00 is mine", "NL91 ABNA 0417 1643 00", Kind::Iban),
            ("gb29nwbk60161331926819", "gb29nwbk60161331926819", Kind::Iban),
            ("from 192.168.17.4, yes", "192.168.17.4", Kind::Ip),
            ("2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3::8a2e:370:7334", Kind::Ip),
            ("my ssn 536-90-4399", "536-90-4399", Kind::NationalId),
            ("see https://x.example/a?token=1&b=2 there", "?token=1&b=2", Kind::Query),
            ("GET /search?q=jane HTTP/1.1", "?q=jane", Kind::Query),
            ("Authorization: Bearer abcdefghijkl", "abcdefghijkl", Kind::Secret),
            ("sk-proj-abcdefghijklmnopqrst", "sk-proj-abcdefghijklmnopqrst", Kind::Secret),
            ("password = hunter2!", "hunter2!", Kind::Secret),
            ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", Kind::Secret),
            ("postgres://app:s3cret@db/x", "app:s3cret", Kind::Secret),
        ] {
            assert_eq!(found(text), [(wanted, kind)], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_left() {
        for text in [
            "2026-02-01T10:00:00Z",
            "2026-02-01 10:00:00",
            "01-02-2026",
            "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b",
            "conversation-0123456789abcdef",
            "order 1234567890",
            "4111 1111 1111 1112",
            "1770000000000000",
            "version 1.4.0",
            "10:00:00",
            "std::vec::Vec",
            "12,345,678.90",
            "gpt-4o-2024-08-06",
            "What is the tokenizer for?",
            "Is it #1?",
            "agent@",
            "@jane",
            "5b8efff798038103d269b633813fc60c",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
