# Makes mixed_cells.csv, a small simulated collaborative in three waves, and mixed_expected.csv, its models by lme4.
# Rscript mixed_reference.R       (R 4.2.2, lme4 1.1.31)
suppressMessages(library(lme4))
set.seed(20240501)
d <- expand.grid(month = 1:10, facility = sprintf("F%02d", 1:9))[, 2:1]
wave <- rep(c(3, 5, 7), each = 3)[as.integer(d$facility)]
d$treated <- as.integer(d$month > wave)
d$denominator <- rpois(nrow(d), 25) + 3
own <- rnorm(9, 0, 0.7)[as.integer(d$facility)]
gain <- rnorm(9, 0.5, 0.6)[as.integer(d$facility)]
d$numerator <- rbinom(nrow(d), d$denominator, plogis(-0.4 + own + 0.03 * d$month + gain * d$treated))
d$falls <- rpois(nrow(d), d$denominator * exp(-2.2 + 0.6 * own - 0.4 * d$treated))
write.csv(d, "mixed_cells.csv", row.names = FALSE, quote = FALSE)

tight <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhoend = 1e-9, maxfun = 1e5))
rows <- function(case, m) {
  s <- coef(summary(m)); v <- as.data.frame(VarCorr(m)); r <- ranef(m, condVar = TRUE)$facility
  q <- c(paste0("coef_", rownames(s)), paste0("se_", rownames(s)),
         ifelse(is.na(v$var1), "", paste("cov", v$var1, ifelse(is.na(v$var2), v$var1, v$var2), sep = "_")), "loglik",
         paste0("blup_", rep(colnames(r), each = 9), "_", rownames(r)),
         paste0("blup_sd_", rep(colnames(r), each = 9), "_", rownames(r)))
  pv <- attr(r, "postVar")
  sd <- unlist(lapply(seq_along(r), function(j) sqrt(pv[j, j, ])))
  data.frame(case, quantity = q, value = sprintf("%.12g", c(s[, 1], s[, 2], v$vcov, logLik(m), unlist(r), sd)))
}
share <- cbind(numerator, denominator - numerator) ~ treated + factor(month) + (1 | facility)
write.csv(rbind(
  rows("laplace", glmer(share, d, binomial, control = tight)),
  rows("quadrature9", glmer(share, d, binomial, nAGQ = 9, control = tight)),
  rows("slope", glmer(cbind(numerator, denominator - numerator) ~ treated + month + (1 + treated | facility), d,
                      binomial, control = tight)),
  rows("poisson", glmer(falls ~ treated + offset(log(denominator)) + (1 | facility), d, poisson, control = tight)),
  rows("poisson25", glmer(falls ~ treated + offset(log(denominator)) + (1 | facility), d, poisson, nAGQ = 25,
                          control = tight))),
  "mixed_expected.csv", row.names = FALSE, quote = FALSE)
