using System.Globalization;
using Bogus;
using Chaperone.Clinic.Patients;

namespace Chaperone.Server.Demo;

/// <summary>Synthetic people in the British manner. The same seed gives the same people; none of them exists: telephone numbers are from the ranges kept free for fiction, mail goes to example.org.</summary>
internal static class DemoPeople
{
    /// <summary>So many people, from newborn to 97.</summary>
    public static IReadOnlyList<PersonDetails> Make(int count, int seed, DateOnly today)
    {
        var faker = new Faker("en_GB") { Random = new Randomizer(seed) };
        var names = new Bogus.DataSets.Name("en") { Random = new Randomizer(seed + 1) };   // the British list of first names has no genders
        return [.. Enumerable.Range(0, count).Select(n => Person(faker, names, n, today))];
    }

    private static PersonDetails Person(Faker faker, Bogus.DataSets.Name names, int n, DateOnly today)
    {
        var female = faker.Random.Bool(0.51f);
        var sex = female ? Bogus.DataSets.Name.Gender.Female : Bogus.DataSets.Name.Gender.Male;
        var given = names.FirstName(sex);
        var family = faker.Name.LastName();
        var born = today.AddDays(-faker.Random.Int(3, 97 * 365));
        var adult = born.AddYears(18) <= today;
        return new()
        {
            Prefix = adult ? female ? faker.PickRandom("Mrs", "Ms", "Miss", "Dr") : faker.PickRandom("Mr", "Mr", "Mr", "Dr") : null,
            GivenNames = given,
            FamilyName = family,
            PreviousName = female && adult && faker.Random.Bool(0.2f) ? faker.Name.LastName() : null,
            DateOfBirth = born,
            Gender = female ? "female" : "male",
            NhsNumber = NhsNumber(faker, n),
            Phone = string.Create(CultureInfo.InvariantCulture, $"01632 960{faker.Random.Int(0, 999):000}"),
            Mobile = adult ? string.Create(CultureInfo.InvariantCulture, $"07700 900{faker.Random.Int(0, 999):000}") : null,
            Email = adult ? $"{Ascii(given)}.{Ascii(family)}{n}@example.org" : null,
            Address = new()
            {
                Lines = [$"{faker.Random.Int(1, 180)} {faker.Address.StreetName()}"],
                City = faker.Address.City(),
                County = faker.Address.County(),
                Postcode = faker.Address.ZipCode(),
                Country = "United Kingdom",
            },
        };
    }

    /// <summary>Numbers from the range 999…, which is kept for tests, with their check digit (modulus 11).</summary>
    private static string NhsNumber(Faker faker, int n)
    {
        for (var tail = (n * 97) + faker.Random.Int(0, 90); ; tail++)
        {
            var digits = "999" + (tail % 1_000_000).ToString("000000", CultureInfo.InvariantCulture);
            var check = 11 - (digits.Select((digit, i) => (digit - '0') * (10 - i)).Sum() % 11);
            if (check != 10) return digits + (check == 11 ? "0" : check.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static string Ascii(string name) => string.Concat(name.ToLowerInvariant().Where(char.IsAsciiLetter));
}
