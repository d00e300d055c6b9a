"""The camera's part: photons, and the precision with which they place an emitter."""

from dataclasses import dataclass

import numpy as np
from scipy.special import spence

from lusco.simulate.draws import Range, draw


@dataclass(frozen=True)
class Camera:
    """Optics and light; the schema explains each."""

    pixel_nm: float
    psf_sigma_nm: float
    photons: Range
    photons_min: float
    background_photons: Range


def detect(camera: Camera, localizations: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Photons and precision of localizations.

    Photons of a dye in a frame are exponentially distributed; given that they exceed the threshold of detection, so
    is their excess.

    Parameters
    ----------
    camera : Camera
        Optics and light.
    localizations : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    photons : numpy.ndarray
        Shape (n,), photons of each localization.
    sigma_nm : numpy.ndarray
        Shape (n,), standard deviation of its position in x and in y, in nm.
    """
    scale, background = draw(rng, camera.photons), draw(rng, camera.background_photons)
    photons = camera.photons_min + rng.exponential(scale, localizations)
    return photons, precision_nm(photons, background, camera.psf_sigma_nm, camera.pixel_nm)


def precision_nm(photons: np.ndarray, background: float, psf_sigma_nm: float, pixel_nm: float) -> np.ndarray:
    """Standard deviation of a position fitted by maximum likelihood: Mortensen et al., Nat Methods 7, 377 (2010).

    With s_a^2 = s^2 + a^2/12 and rho = 2 pi s_a^2 b^2 / (N a^2), the variance is
    s_a^2/N / (1 + int_0^1 ln t / (1 + t/rho) dt); the integral is rho Li2(-1/rho), Li2 the dilogarithm.

    Parameters
    ----------
    photons : numpy.ndarray
        Photons N of each localization.
    background : float
        Mean background b^2 in photons per pixel.
    psf_sigma_nm : float
        Standard deviation s of the point-spread function in nm.
    pixel_nm : float
        Side a of a pixel in nm.

    Returns
    -------
    numpy.ndarray
        In nm, of the shape of `photons`.
    """
    photons = np.asarray(photons, dtype=np.float64)
    variance_nm2 = psf_sigma_nm**2 + pixel_nm**2 / 12
    if background == 0:
        return np.sqrt(variance_nm2 / photons)
    rho = 2 * np.pi * variance_nm2 * background / (photons * pixel_nm**2)
    return np.sqrt(variance_nm2 / photons / (1 + rho * spence(1 + 1 / rho)))
