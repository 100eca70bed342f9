using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Patients;

internal static class PatientPages
{
    public static void Map(IEndpointRouteBuilder endpoints) { }
}
