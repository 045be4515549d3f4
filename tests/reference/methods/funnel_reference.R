# Makes expected/funnel.csv: interpolated limits, exact p values and overdispersion by maximum likelihood, in base R.
# Rscript funnel_reference.R > expected/funnel.csv       (R 4.2.2)
# The units are invented. Limits: Spiegelhalter, Stat Med 2005;24:1185, appendix; dispersion about the pooled level.
y <- c(4, 11, 25, 6, 30, 52, 9, 0, 41, 20, 3, 66)
n <- c(40, 60, 80, 90, 120, 150, 55, 12, 300, 210, 33, 400)
tails <- c(0.025, 0.975, 0.001, 0.999)
level <- sum(y) / sum(n)
cat("case,quantity,row,value\n")
say <- function(case, quantity, values)
  cat(sprintf("%s,%s,%d,%.15g\n", case, quantity, seq_along(values) - 1L, values), sep = "")

from_mass <- function(case, mass) {          # mass: a function (counts, unit) giving probabilities
  limits <- sapply(seq_along(n), function(i) {
    k <- 0:20000
    f <- mass(k, i); cdf <- cumsum(f)
    sapply(tails, function(p) { q <- which(cdf >= p)[1]; max(0, (k[q] - (cdf[q] - p) / f[q]) / n[i]) })
  })
  for (j in seq_along(tails)) say(case, c("lower_95", "upper_95", "lower_99.8", "upper_99.8")[j], limits[j, ])
  say(case, "p", sapply(seq_along(n), function(i)
    min(1, 2 * min(sum(mass(0:y[i], i)), 1 - (if (y[i] > 0) sum(mass(0:(y[i] - 1), i)) else 0)))))
}
fit <- function(log_likelihood, range)
  exp(optimize(log_likelihood, log(range), maximum = TRUE, tol = 1e-10)$maximum)

dbetabinom <- function(k, n, rho) {
  a <- level * (1 / rho - 1); b <- (1 - level) * (1 / rho - 1)
  ifelse(k > n, 0, exp(lchoose(n, k) + lbeta(pmin(k, n) + a, pmax(n - k, 0) + b) - lbeta(a, b)))
}
rho <- fit(function(x) sum(log(dbetabinom(y, n, exp(x)))), c(1e-4, 0.9))
alpha <- fit(function(x) sum(dnbinom(y, size = exp(-x), mu = level * n, log = TRUE)), c(1e-4, 10))

from_mass("poisson", function(k, i) dpois(k, level * n[i]))
say("beta-binomial", "dispersion", rho)
from_mass("beta-binomial", function(k, i) dbetabinom(k, n[i], rho))
say("negative-binomial", "dispersion", alpha)
from_mass("negative-binomial", function(k, i) dnbinom(k, size = 1 / alpha, mu = level * n[i]))
