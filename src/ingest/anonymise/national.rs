//! National numbers of persons, with the check digits that they have.

use std::sync::LazyLock;

use regex::Regex;

/// A form of numbers, and how to tell one of them from a number that only looks like it.
pub struct NationalId {
    pub pattern: Regex,
    pub is_valid: fn(&str) -> bool,
}

/// Numbers that are recognised by their form. Those that are nothing but digits need their name before them.
pub static NATIONAL_IDS: LazyLock<Vec<NationalId>> = LazyLock::new(|| {
    type IsValid = fn(&str) -> bool;
    let forms: [(&str, IsValid); 12] = [
        // United States: social security number
        (r"\b\d{3}-\d{2}-\d{4}\b", social_security),
        (r"(?i)\bssn\W{0,3}\d{9}\b", |text| social_security(&digits_of(text))),
        // United Kingdom: national insurance number
        (r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", |_| true),
        // Netherlands: burgerservicenummer
        (r"(?i)\bbsn\W{0,3}\d{9}\b", burgerservicenummer),
        // Spain: DNI and NIE
        (r"(?i)\b[XYZ]?\d{7,8}-?[A-Z]\b", dni),
        // France: numéro de sécurité sociale
        (r"\b[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}\b", securite_sociale),
        // Italy: codice fiscale
        (r"(?i)\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", codice_fiscale),
        // Belgium: national register number
        (r"\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b", rijksregister),
        // Germany: Steuer-Identifikationsnummer
        (r"\b[1-9]\d \d{3} \d{3} \d{3}\b", steuer_id),
        (r"(?i)\b(?:steuer-?id|idnr)\W{0,3}[1-9]\d{10}\b", steuer_id),
        // Poland: PESEL
        (r"(?i)\bpesel\W{0,3}\d{11}\b", pesel),
        // India: Aadhaar
        (r"\b[2-9]\d{3} \d{4} \d{4}\b", aadhaar),
    ];
    forms
        .into_iter()
        .map(|(pattern, is_valid)| NationalId { pattern: Regex::new(pattern).expect("a pattern"), is_valid })
        .collect()
});

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn social_security(text: &str) -> bool {
    let digits = digits_of(text);
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    area != "000" && area != "666" && !area.starts_with('9') && group != "00" && serial != "0000"
}

fn burgerservicenummer(text: &str) -> bool {
    let digits = digits(text);
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i64 = digits.iter().zip(weights).map(|(digit, weight)| i64::from(*digit) * weight).sum();
    sum % 11 == 0 && digits.iter().any(|digit| *digit > 0)
}

fn dni(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let letter = upper.chars().last();
    let number: String = upper
        .chars()
        .take(upper.chars().count() - 1)
        .filter_map(|c| match c {
            'X' => Some('0'),
            'Y' => Some('1'),
            'Z' => Some('2'),
            '-' => None,
            digit => Some(digit),
        })
        .collect();
    let letters = b"TRWAGMYFPDXBNJZSQVHLCKE";
    number.len() == 8 && number.parse::<usize>().is_ok_and(|number| Some(char::from(letters[number % 23])) == letter)
}

fn securite_sociale(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| *c != ' ').collect();
    let (number, key) = compact.split_at(13);
    // The two departments of Corsica have letters.
    let number = number.replace("2A", "19").replace("2B", "18");
    match (number.parse::<u64>(), key.parse::<u64>()) {
        (Ok(number), Ok(key)) => 97 - number % 97 == key,
        _ => false,
    }
}

fn codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
        10, 22, 25, 24, 23,
    ];
    let value = |c: char| c.to_digit(36).unwrap_or(0);
    let upper = text.to_ascii_uppercase();
    let mut characters = upper.chars();
    let check = characters.next_back().map(value);
    let sum: u32 = characters
        .enumerate()
        .map(|(place, c)| match (place % 2, c.is_ascii_digit()) {
            (0, _) => ODD[value(c) as usize],
            (_, true) => value(c),
            (_, false) => value(c) - 10,
        })
        .sum();
    check == Some(sum % 26 + 10)
}

fn rijksregister(text: &str) -> bool {
    let digits = digits_of(text);
    let (number, check) = digits.split_at(9);
    let check: u64 = check.parse().unwrap_or(0);
    let of = |text: &str| text.parse::<u64>().map(|number| 97 - number % 97);
    of(number) == Ok(check) || of(&format!("2{number}")) == Ok(check)
}

/// ISO 7064, mod 11,10.
fn steuer_id(text: &str) -> bool {
    let digits = digits(text);
    let Some((check, number)) = digits.split_last() else { return false };
    let product = number.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *check
}

fn pesel(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits.iter().zip([1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 11 && sum.is_multiple_of(10)
}

/// Verhoeff's check.
fn aadhaar(text: &str) -> bool {
    const PERMUTATION: [[u32; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    // Multiplication in the dihedral group of order ten.
    let multiply = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let digits = digits(text);
    digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |check, (place, digit)| multiply(check, PERMUTATION[place % 8][*digit as usize]))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str) -> bool {
        NATIONAL_IDS.iter().any(|form| form.pattern.find_iter(text).any(|found| (form.is_valid)(found.as_str())))
    }

    #[test]
    fn numbers_of_each_country_are_told_by_their_check_digits() {
        for number in [
            "536-90-4399",
            "ssn: 536904399",
            "QQ 12 34 56 C".replace("QQ", "AB").as_str(),
            "BSN 111222333",
            "12345678Z",
            "X1234567L",
            "1 85 05 78 006 084 91",
            "RSSMRA85T10A562S",
            "85.07.30-033.28",
            "86 095 742 719",
            "IdNr 86095742719",
            "PESEL 44051401359",
            "2341 2341 2346",
        ] {
            assert!(finds(number), "{number}");
        }
        for other in [
            "000-12-3456",
            "12345678A",
            "BSN 111222334",
            "111222333",
            "86095742718",
            "RSSMRA85T10A562T",
            "2341 2341 2345",
            "2026-02-01",
        ] {
            assert!(!finds(other), "{other}");
        }
    }
}
