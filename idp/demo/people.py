"""The made-up people of the demonstration. Their numbers have the right form and belong to nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from idp.staff.records import Role


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody to sign in as. `verified`: an officer has seen the papers; `totp`: signs in with a second factor; `role`: works here."""

    key: str
    name: str
    nik: str
    email: str
    phone: str
    birthdate: str
    gender: str
    street: str
    verified: bool = True
    totp: bool = False
    role: Role | None = None
    agency: str | None = None
    unit: str | None = None
    more: dict[str, str] = field(default_factory=dict)

    def claims(self) -> dict[str, str]:
        """Give the values of the account, as they are stored."""
        address = {
            "formatted": f"{self.street}\nBalikpapan 76111\nKalimantan Timur",
            "street_address": self.street,
            "locality": "Balikpapan",
            "region": "Kalimantan Timur",
            "postal_code": "76111",
            "country": "ID",
        }
        return {
            "name": self.name,
            "nik": self.nik,
            "email": self.email,
            "phone_number": self.phone,
            "birthdate": self.birthdate,
            "gender": self.gender,
            "address": json.dumps(address),
            "zoneinfo": "Asia/Makassar",
            "locale": "id-ID",
            **self.more,
        }


SITI = SamplePerson(
    key="siti",
    name="Siti Rahmawati",
    nik="6471015203900001",
    email="siti@example.com",
    phone="+6281250000001",
    birthdate="1990-03-12",
    gender="female",
    street="Jalan Contoh 1",
    more={
        "given_name": "Siti",
        "family_name": "Rahmawati",
        "middle_name": "Nur",
        "nickname": "Iti",
        "preferred_username": "siti.rahmawati",
        "profile": "https://example.com/siti",
        "picture": "https://example.com/siti.jpg",
        "website": "https://siti.example.com",
    },
)
BUDI = SamplePerson(
    key="budi",
    name="Budi Santoso",
    nik="6471020507850002",
    email="budi@example.com",
    phone="+6281250000002",
    birthdate="1985-07-05",
    gender="male",
    street="Jalan Contoh 2",
    totp=True,
)
SUKARNI = SamplePerson(
    key="sukarni",
    name="Sukarni",
    nik="6471037112610003",
    email="sukarni@example.com",
    phone="+6281250000003",
    birthdate="1961-12-31",
    gender="female",
    street="Gang Contoh 3",
)
DEWI = SamplePerson(
    key="dewi",
    name="Dewi Lestari",
    nik="6471046008010004",
    email="dewi@example.com",
    phone="+6281250000004",
    birthdate="2001-08-20",
    gender="female",
    street="Jalan Contoh 4",
    verified=False,
)
CITIZENS = (SITI, BUDI, SUKARNI, DEWI)

AUDITOR = SamplePerson(
    key="auditor",
    name="Ratna Inspektorat",
    nik="6471015504750005",
    email="auditor@example.com",
    phone="+6281250000005",
    birthdate="1975-04-15",
    gender="female",
    street="Jalan Contoh 5",
    totp=True,
    role=Role.AUDITOR,
    agency="inspektorat",
    unit="Inspektorat Kota",
)
ADMINISTRATOR = SamplePerson(
    key="administrator",
    name="Hendra Diskominfo",
    nik="6471011009800006",
    email="administrator@example.com",
    phone="+6281250000006",
    birthdate="1980-09-10",
    gender="male",
    street="Jalan Contoh 6",
    totp=True,
    role=Role.ADMINISTRATOR,
    agency="diskominfo",
    unit="Bidang Layanan Digital",
)
DPO = SamplePerson(
    key="dpo",
    name="Maya Pelindung",
    nik="6471015206830007",
    email="maya@example.com",
    phone="+6281250000007",
    birthdate="1983-06-12",
    gender="female",
    street="Jalan Contoh 7",
    totp=True,
    role=Role.DPO,
    agency="diskominfo",
    unit="Pelindungan Data",
)
STAFF = (AUDITOR, ADMINISTRATOR, DPO)
EVERYBODY = (*CITIZENS, *STAFF)
