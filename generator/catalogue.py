"""The shop's products and customers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

CENTS: Final = (99, 95, 49, 0)
PRICE_POINTS: Final = 24
"""Number of prices of a gadget, from its lowest to its highest."""


@dataclass(frozen=True)
class Gadget:
    """A product: name, category, price range in whole dollars, and how often it is bought."""

    name: str
    category: str
    low: int
    high: int
    weight: int

    def prices(self) -> list[Decimal]:
        """Every price, built from whole cents without binary floats."""
        step = max(1, (self.high - self.low) // PRICE_POINTS)
        dollars = range(self.low, self.high + 1, step)
        return [Decimal(d * 100 + cents).scaleb(-2) for d in dollars for cents in CENTS]


GADGETS: Final = (
    Gadget("Nimbus 14 Ultrabook", "laptops", 899, 1499, 18),
    Gadget("Nimbus 16 Pro Workstation", "laptops", 1799, 3299, 6),
    Gadget("Tern Convertible 13", "laptops", 649, 1099, 11),
    Gadget("Pixelia X2 Smartphone", "phones", 499, 899, 40),
    Gadget("Pixelia Fold", "phones", 1299, 1899, 7),
    Gadget("Kestrel Mini Phone", "phones", 249, 429, 22),
    Gadget("Slate 11 Tablet", "tablets", 329, 749, 21),
    Gadget("Folio E-Reader", "tablets", 99, 229, 19),
    Gadget("Orbit Smartwatch 5", "wearables", 179, 399, 34),
    Gadget("Pulse Fitness Band", "wearables", 39, 89, 41),
    Gadget("Élan Smart Ring", "wearables", 199, 349, 8),
    Gadget("Zürich ANC Headphones", "audio", 149, 379, 33),
    Gadget("Whisper True Wireless Earbuds", "audio", 49, 199, 60),
    Gadget("Boulder Bluetooth Speaker", "audio", 29, 149, 37),
    Gadget("Hi-Fi Soundbar Größe M", "audio", 159, 449, 12),
    Gadget("Señal USB Microphone", "audio", 59, 169, 13),
    Gadget("Vista 27 4K Monitor", "displays", 279, 649, 20),
    Gadget("Vista 34 Ultrawide", "displays", 399, 999, 9),
    Gadget("Lumen Pocket Projector", "displays", 199, 599, 8),
    Gadget("Clack 75 Mechanical Keyboard", "peripherals", 69, 199, 31),
    Gadget("Glide Wireless Mouse", "peripherals", 19, 99, 58),
    Gadget("Façade 4K Webcam", "peripherals", 59, 189, 24),
    Gadget("Anchor 9-in-1 USB-C Dock", "peripherals", 49, 249, 35),
    Gadget("Volt 65W GaN Charger", "power", 25, 59, 70),
    Gadget("Volt 20K Power Bank", "power", 29, 79, 52),
    Gadget("Sólar Trail Panel", "power", 69, 219, 7),
    Gadget("Cache 1TB Portable SSD", "storage", 69, 139, 38),
    Gadget("Cache 4TB Portable SSD", "storage", 199, 379, 12),
    Gadget("Vault 2-Bay NAS", "storage", 219, 499, 8),
    Gadget("Mesh Wi-Fi 7 Router", "smart home", 129, 499, 17),
    Gadget("Étoile Smart Lamp", "smart home", 29, 89, 28),
    Gadget("Hearth Smart Thermostat", "smart home", 99, 249, 14),
    Gadget("Porch Video Doorbell", "smart home", 79, 229, 23),
    Gadget("Rover Robot Vacuum", "smart home", 199, 899, 15),
    Gadget("Arcade One Console", "gaming", 299, 549, 19),
    Gadget("Arcade Wireless Gamepad", "gaming", 39, 79, 36),
    Gadget("Mirage VR Headset", "gaming", 299, 699, 7),
    Gadget("Skua Camera Drone", "cameras", 399, 1299, 6),
    Gadget("Trek Action Camera", "cameras", 179, 449, 16),
    Gadget("東京 Instant Camera", "cameras", 69, 159, 10),
)

CUSTOMERS: Final = 2_000
LOCALES: Final = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "pl_PL", "pt_BR", "ja_JP")


@cache
def customers() -> tuple[str, ...]:
    """The shop's customers, from many countries; the same in every run."""
    # Imported late: code that only reads plans and reports does not need Faker.
    from faker import Factory  # noqa: PLC0415

    names: dict[str, None] = {}  # a set that keeps its order
    for locale in LOCALES:
        # Only the person provider: loading all of them takes many times as long.
        fake = Factory.create(locale, providers=["faker.providers.person"])
        fake.seed_instance(locale)
        wanted = len(names) + CUSTOMERS // len(LOCALES)
        while len(names) < wanted:
            names[fake.format("name")] = None
    return tuple(names)
