"""Radiomics and boosted trees, a classifier of the literature (after Park et al. 2022), for comparison."""
