"""The three made-up agencies and what their applications are registered with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """An application of the demonstration. `offset` is added to the provider's port for its own."""

    client_id: str
    name: str
    agency: str
    agency_name: str
    agency_in_english: str
    unit: str
    purpose: str
    scope: str
    offset: int
    colour: str
    pitch: str
    lead: str
    steps: tuple[str, ...]
    welcome: str

    def base_url(self, port: int) -> str:
        """Give its address when the provider listens on `port`."""
        return f"http://localhost:{port + self.offset}"


APPLICATIONS: tuple[Application, ...] = (
    Application(
        client_id="aduan",
        name="Aduan Warga",
        agency="diskominfo",
        agency_name="Dinas Komunikasi dan Informatika",
        agency_in_english="Communication and Information Office",
        unit="Bidang Layanan Aduan",
        purpose="aduan",
        scope="openid profile email phone offline_access",
        offset=1,
        colour="#9a3412",
        pitch="Laporkan jalan rusak, lampu mati, atau sampah menumpuk",
        lead="Cukup satu laporan. Kami teruskan ke dinas yang menangani, lalu kami kabari Anda.",
        steps=("Masuk dengan Gerbang.", "Ceritakan apa yang Anda lihat, dan di mana.", "Ikuti jawabannya lewat email."),
        welcome="Anda sudah masuk. Laporan Anda akan kami jawab lewat alamat di bawah ini.",
    ),
    Application(
        client_id="antrean",
        name="Antrean Puskesmas",
        agency="dinkes",
        agency_name="Dinas Kesehatan",
        agency_in_english="Health Office",
        unit="Puskesmas Karang Jati",
        purpose="antrean",
        scope="openid profile phone",
        offset=2,
        colour="#166534",
        pitch="Ambil nomor antrean dari rumah",
        lead="Tidak perlu datang subuh. Pilih puskesmas dan jamnya, lalu datang saat giliran dekat.",
        steps=("Masuk dengan Gerbang.", "Pilih puskesmas dan jam.", "Datang saat nomor Anda hampir dipanggil."),
        welcome="Anda sudah masuk. Nomor antrean dibuat atas nama di bawah ini.",
    ),
    Application(
        client_id="izin",
        name="Izin Usaha",
        agency="dpmptsp",
        agency_name="Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu",
        agency_in_english="Investment and One-Stop Service Office",
        unit="Bidang Perizinan Usaha Mikro",
        purpose="izin-usaha",
        scope="openid profile address nik",
        offset=3,
        colour="#1e3a8a",
        pitch="Urus izin usaha mikro tanpa datang ke kantor",
        lead="Untuk warung, bengkel, katering, dan usaha kecil lain. Tanpa biaya.",
        steps=("Masuk dengan Gerbang.", "Isi data usaha Anda.", "Unduh izinnya setelah diperiksa."),
        welcome="Anda sudah masuk. Izin akan terbit atas nama di bawah ini.",
    ),
)
