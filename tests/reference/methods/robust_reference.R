# Makes robust_expected.csv: least squares on mixed_cells.csv with CR2 errors, by clubSandwich.
# Rscript robust_reference.R       (R 4.2.2, clubSandwich 0.5.8)
suppressMessages(library(clubSandwich))
d <- read.csv("mixed_cells.csv")
d$share <- d$numerator / d$denominator
d <- d[!(d$facility == "F02" & d$month > 6), ] # clusters of one size would hide mistakes
rows <- function(case, m) {
  s <- coef_test(m, vcov = "CR2", cluster = d$facility)
  i <- conf_int(m, vcov = "CR2", cluster = d$facility)
  data.frame(case, term = s$Coef, estimate = s$beta, standard_error = s$SE, df = s$df_Satt, low = i$CI_L,
             high = i$CI_U, p_value = s$p_Satt)
}
write.csv(format(rbind(
  rows("trend", lm(share ~ treated + month, d)),
  rows("trend_weighted", lm(share ~ treated + month, d, weights = denominator)),
  rows("facility", lm(share ~ treated + factor(facility) + factor(month), d)),
  rows("facility_weighted", lm(share ~ treated + factor(facility) + factor(month), d, weights = denominator))),
  digits = 12, trim = TRUE), "robust_expected.csv", row.names = FALSE, quote = FALSE)
