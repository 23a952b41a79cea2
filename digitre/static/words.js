// What the page says about an answer, in words.

const ALMOST = 0.9995; // what is above would be shown as 100.0%, which no answer is
const HARDLY = 0.0005;

// A probability as it is shown: "99.8%", "> 99.9%", "< 0.1%".
export function percent(probability) {
  if (probability > ALMOST) return "> 99.9%";
  if (probability > 0 && probability < HARDLY) return "< 0.1%";
  return `${(100 * probability).toFixed(1)}%`;
}

// A label as it reads in a sentence: "a 7", "an 8", "not a digit".
export function withArticle(label) {
  if (label === "none" || label === "not_a_digit") return "not a digit";
  const isAn = /^(8|11$|18$)/.test(label);
  return `${isAn ? "an" : "a"} ${label}`;
}

// The line below the headline.
export function verdictLine({ reason, confidence, candidates, number }) {
  if (!reason) return `${percent(confidence)} sure`;
  if (number) return REFUSED_NUMBER[reason] ?? choice(number.texts);
  if (reason === "unsure") return choice(candidates.map(({ digit }) => digit));
  return REFUSED[reason] ?? "You call that a digit?";
}

const REFUSED = {
  blank: "There is no ink.",
  several: "More than one digit, but no number that I can read.",
};
const REFUSED_NUMBER = {
  not_a_number: "You call that a number?",
  too_complex: "That is more than I can read at once.",
};

// "A 1 or a 7?"
function choice([first, second]) {
  const text = [first, second].filter((each) => each !== undefined).map((each) => withArticle(String(each)));
  return `${text.join(" or ").replace(/^a/, "A")}?`;
}

// What is said while the pen is down, at most: "I see a 7… or a 9…"; "" if there is nothing to say.
export function glanceLine({ candidates, notADigit }) {
  const seen = (candidates ?? []).filter(({ probability }) => probability > 0.2);
  if (!seen.length || notADigit > 0.5) return "";
  const [first, second] = seen.map(({ digit }) => withArticle(String(digit)));
  return second ? `I see ${first}… or ${second}…` : `I see ${first}…`;
}
