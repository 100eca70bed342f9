using System.Globalization;
using Chaperone.Clinic.Patients;
using Chaperone.Server.Demo;

namespace Chaperone.Bench;

/// <summary>Any number of synthetic people: the demo's names, addresses and habits, mixed anew. Common names are commoner, as in life; NHS numbers are all different and valid.</summary>
internal static class People
{
    private const int Known = 3000;

    public static IEnumerable<PersonDetails> Make(int count, int seed)
    {
        var known = DemoPeople.Make(Known, seed, DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));
        var random = new Random(seed);
        var number = 400_000_000L + (seed % 100 * 1_000_000L);
        for (var i = 0; i < count; i++)
        {
            // The square gives the first of the list six times the share of the middle ones: the commonest name about one in a hundred.
            PersonDetails Common() => known[(int)(random.NextDouble() * random.NextDouble() * Known)];
            var body = known[random.Next(Known)];
            yield return body with
            {
                GivenNames = Common().GivenNames,
                FamilyName = Common().FamilyName,
                DateOfBirth = body.DateOfBirth?.AddDays(-random.Next(365)),
                NhsNumber = NextNhsNumber(ref number),
                Phone = string.Create(CultureInfo.InvariantCulture, $"020 7{random.Next(1_000_000):000000}"),
                Mobile = string.Create(CultureInfo.InvariantCulture, $"07700 {random.Next(1_000_000):000000}"),
                Email = $"person{i}@example.org",
            };
        }
    }

    private static string NextNhsNumber(ref long number)
    {
        while (true)
        {
            var digits = (++number).ToString("000000000", CultureInfo.InvariantCulture);
            var check = 11 - (digits.Select((digit, i) => (digit - '0') * (10 - i)).Sum() % 11);
            if (check != 10) return digits + (check == 11 ? "0" : check.ToString(CultureInfo.InvariantCulture));
        }
    }
}
